//! Finding a batch where the files contradict themselves, or where nobody has looked yet.
//!
//! Called by `lookup` when walking over headers does not prove where a batch is, and by reads
//! whose first batch has changed. Looks at whole batches from an index entry before the offset to
//! a batch or two after it, and tells intact ones by three things: the checksum, which covers all
//! but the first 21 bytes and would not fit with another length; the offsets of the neighbours,
//! since no checksum covers the base offset; and index entries, from which a walk goes on that a
//! changed header has led astray.

use crate::error::StorageError;
use crate::index::OffsetEntry;
use crate::lookup::Place;
use crate::scan::Placed;
use crate::segment::Segment;
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{BATCH_HEADER_SIZE, Batch, BatchHeader, LENGTH_PREFIX_SIZE};

/// Index entries looked at before an offset: where the walk begins, and the last one up to it.
const ENTRIES_BEFORE: usize = 2;
/// And after it, for a walk that has lost its way to go on from.
const ENTRIES_AFTER: usize = 3;
/// Batches after the offset: the one that follows a gap, and its neighbour.
const BATCHES_AFTER: usize = 2;

/// What stands at a position.
enum Item {
    /// A batch whose checksum fits.
    Whole(Placed),
    /// Anything else.
    Broken { position: u64, problem: String },
}

impl Item {
    const fn whole(&self) -> Option<&BatchHeader> {
        match self {
            Self::Whole(placed) => Some(&placed.header),
            Self::Broken { .. } => None,
        }
    }
}

/// A part of a segment, batch by batch.
struct Walk {
    items: Vec<Item>,
    begins_segment: bool,
    ends_segment: bool,
}

impl Segment {
    /// The first batch that ends at `offset` or later, if there is one, and an error where that
    /// cannot be told because something has changed.
    pub(crate) fn survey(&self, offset: Offset) -> Result<Option<Place>, StorageError> {
        let look = || {
            let entries = self.offsets.around(self.relative(offset), ENTRIES_BEFORE, ENTRIES_AFTER);
            entries.and_then(|entries| self.survey_between(offset, &entries))
        };
        match look() {
            Err(lie) if self.blames_index(&lie) => match self.rebuild_indexes(&lie) {
                Ok(()) => look(),
                // Both are damaged: without the index all of the log is walked over.
                Err(StorageError::Corrupt { .. }) => self.survey_between(offset, &[]),
                Err(error) => Err(error),
            },
            found => found,
        }
    }

    pub(crate) fn survey_between(
        &self,
        offset: Offset,
        entries: &[OffsetEntry],
    ) -> Result<Option<Place>, StorageError> {
        let wanted = offset.max(self.base);
        let walk = self.walk_around(wanted, entries)?;
        // The offset after everything that is known to be right up to here.
        let mut known = walk.begins_segment.then_some(self.base);
        let mut problem = None;
        for (at, item) in walk.items.iter().enumerate() {
            let placed = match item {
                Item::Whole(placed) if self.is_in_place(&walk, at) => placed,
                Item::Whole(placed) => {
                    let what = "its offsets are not between its neighbours'".to_owned();
                    problem = Some(self.changed(placed.position, &what));
                    known = None;
                    continue;
                }
                Item::Broken { position, problem: what } => {
                    problem = Some(self.changed(*position, what));
                    known = None;
                    continue;
                }
            };
            self.check_named(placed, entries)?;
            if placed.header.last_offset() < wanted {
                known = Some(placed.header.next_offset());
            } else if placed.header.base_offset <= wanted || known.is_some() {
                return Ok(Some(*placed));
            } else {
                break;
            }
        }
        if walk.ends_segment && known.is_some() && wanted >= known.unwrap_or(wanted) {
            return Ok(None);
        }
        Err(problem.unwrap_or_else(|| {
            let what = format!("no entry leads to offset {wanted}");
            StorageError::corrupt(self.offsets.slot().path(), what)
        }))
    }

    fn changed(&self, position: u64, problem: &str) -> StorageError {
        let what = format!("the batch at position {position} has changed: {problem}");
        StorageError::corrupt(self.log.path(), what)
    }

    /// Looks at batch after batch until some are after `wanted`.
    fn walk_around(&self, wanted: Offset, entries: &[OffsetEntry]) -> Result<Walk, StorageError> {
        let size = self.size();
        self.check_order(entries, size)?;
        let up_to = entries.partition_point(|entry| self.offset_of(*entry) <= wanted);
        let start = if up_to < ENTRIES_BEFORE { 0 } else { u64::from(entries[0].position) };
        let mut items = Vec::new();
        let (mut position, mut after) = (start, 0);
        while position < size && after < BATCHES_AFTER {
            let entry = entries.iter().find(|entry| u64::from(entry.position) > position);
            let (item, next) = self.look_at(position, size, entry)?;
            after += usize::from(item.whole().is_some_and(|header| header.base_offset > wanted));
            items.push(item);
            position = next;
        }
        Ok(Walk { items, begins_segment: start == 0, ends_segment: position >= size })
    }

    /// What stands at `position`, and where to go on. `entry` is the next one that leads past it.
    fn look_at(
        &self,
        position: u64,
        size: u64,
        entry: Option<&OffsetEntry>,
    ) -> Result<(Item, u64), StorageError> {
        let limit = entry.map_or(size, |entry| u64::from(entry.position).min(size));
        let head = self.read_bytes(position, BATCH_HEADER_SIZE)?;
        let header = BatchHeader::parse(&head);
        let problem = match header {
            Ok(header) => {
                let placed = Placed { position, header };
                let fits = placed.end() <= limit || !self.leads_to_batch(entry, size)?;
                let whole = if placed.end() > size {
                    Err("it reaches past the end of the segment".to_owned())
                } else if fits {
                    self.check_crc(&placed)?
                } else {
                    Err("it reaches past the begin of another one".to_owned())
                };
                match whole {
                    Ok(()) if placed.end() <= limit => {
                        return Ok((Item::Whole(placed), placed.end()));
                    }
                    Ok(()) => {
                        let what = format!("an entry leads into the batch at position {position}");
                        return Err(StorageError::corrupt(self.offsets.slot().path(), what));
                    }
                    Err(problem) => problem,
                }
            }
            Err(problem) => problem.to_string(),
        };
        let next = self.end_by_length(position, &head, limit)?.unwrap_or(limit);
        Ok((Item::Broken { position, problem }, next))
    }

    /// Where the length at `position` leads, if a header or the limit is there.
    fn end_by_length(
        &self,
        position: u64,
        head: &[u8],
        limit: u64,
    ) -> Result<Option<u64>, StorageError> {
        let Some(length) = head.get(LENGTH_PREFIX_SIZE - 4..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let Ok(length) = u64::try_from(i32::from_be_bytes(*length)) else { return Ok(None) };
        let end = position + LENGTH_PREFIX_SIZE as u64 + length;
        if end <= position + BATCH_HEADER_SIZE as u64 || end > limit {
            return Ok(None);
        }
        let is_begin = end == limit
            || BatchHeader::parse(&self.read_bytes(end, BATCH_HEADER_SIZE)?)
                .is_ok_and(|header| end + header.size() as u64 <= limit);
        Ok(is_begin.then_some(end))
    }

    /// Whether an entry leads to a whole batch, as it says.
    fn leads_to_batch(&self, entry: Option<&OffsetEntry>, size: u64) -> Result<bool, StorageError> {
        let Some(entry) = entry else { return Ok(false) };
        let position = u64::from(entry.position);
        let head = self.read_bytes(position, BATCH_HEADER_SIZE)?;
        let Ok(header) = BatchHeader::parse(&head) else { return Ok(false) };
        let placed = Placed { position, header };
        let is_named = header.base_offset <= self.offset_of(*entry) && placed.end() <= size;
        Ok(is_named && self.check_crc(&placed)?.is_ok())
    }

    /// Reads a whole batch; what is wrong with it, if anything.
    fn check_crc(&self, placed: &Placed) -> Result<Result<(), String>, StorageError> {
        let bytes = Bytes::from(self.read_bytes(placed.position, placed.header.size())?);
        if bytes.len() < placed.header.size() {
            return Ok(Err("it reaches past the end of the file".to_owned()));
        }
        let batch = Batch { header: placed.header, bytes };
        Ok(batch.check_crc().map_err(|problem| problem.to_string()))
    }

    /// Whether the offsets of a whole batch can be what they were: they meet those of a neighbour,
    /// or lie between both. Of two that overlap, neither is believed that meets nobody.
    fn is_in_place(&self, walk: &Walk, at: usize) -> bool {
        let items = &walk.items;
        let Some(header) = items[at].whole() else { return false };
        let begins = (at == 0 && walk.begins_segment).then_some(self.base);
        let ends = (at + 1 == items.len() && walk.ends_segment).then(|| self.end_offset());
        let before = match at.checked_sub(1) {
            Some(before) => items[before].whole().map(BatchHeader::next_offset),
            None => begins,
        };
        let after = match items.get(at + 1) {
            Some(after) => after.whole().map(|header| header.base_offset),
            None => ends,
        };
        let meets = before == Some(header.base_offset) || after == Some(header.next_offset());
        // One that is outside of the segment has moved for certain.
        let inside = |item: &Item| item.whole().copied().filter(|other| self.may_hold(other));
        let floor = items[..at].iter().rev().find_map(inside).map(|other| other.next_offset());
        let ceiling = items[at + 1..].iter().find_map(inside).map(|other| other.base_offset);
        let is_between = header.base_offset >= floor.unwrap_or(self.base)
            && header.next_offset() <= ceiling.unwrap_or_else(|| self.end_offset());
        self.may_hold(header) && (meets || is_between)
    }

    /// Whether the offsets of a batch can be some of the segment's.
    fn may_hold(&self, header: &BatchHeader) -> bool {
        header.last_offset_delta >= 0
            && header.base_offset >= self.base
            && header.next_offset() <= self.end_offset()
    }

    /// Entries rise, and lead into the file.
    fn check_order(&self, entries: &[OffsetEntry], size: u64) -> Result<(), StorageError> {
        let rises = entries
            .windows(2)
            .all(|pair| pair[0].relative < pair[1].relative && pair[0].position < pair[1].position);
        // While a segment grows, an entry comes before its batch does.
        let inside = self.offsets.is_growing()
            || entries.iter().all(|entry| u64::from(entry.position) < size);
        if rises && inside {
            return Ok(());
        }
        Err(StorageError::corrupt(self.offsets.slot().path(), "its entries are out of order"))
    }

    /// The entry that leads to a batch does not name an offset before it.
    fn check_named(&self, placed: &Placed, entries: &[OffsetEntry]) -> Result<(), StorageError> {
        let entry = entries.iter().find(|entry| u64::from(entry.position) == placed.position);
        match entry {
            Some(entry) if self.offset_of(*entry) < placed.header.base_offset => {
                Err(self.names_another(*entry))
            }
            _ => Ok(()),
        }
    }
}
