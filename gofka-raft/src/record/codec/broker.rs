//! Registrations of brokers, and their changes, to bytes and back.

use std::collections::BTreeMap;

use gofka_core::ids::{NodeId, Uuid};

use super::{MetadataRecord, Reader, Result, Writer, field, write_uuids};
use crate::image::{BrokerImage, Endpoint};

pub(super) fn write_broker(out: &mut Writer, broker: &BrokerImage) {
    out.i32(broker.id.0);
    out.bool(false); // migrating from ZooKeeper, never
    out.uuid(broker.incarnation);
    out.i64(broker.epoch);
    out.array(&broker.endpoints, |out, endpoint| {
        out.string(&endpoint.listener);
        out.string(&endpoint.host);
        out.u16(endpoint.port);
        out.i16(endpoint.security_protocol);
        out.no_tags();
    });
    let features: Vec<_> = broker.features.iter().collect();
    out.array(&features, |out, (name, (min, max))| {
        out.string(name);
        out.i16(*min);
        out.i16(*max);
        out.no_tags();
    });
    out.nullable_string(broker.rack.as_deref());
    out.bool(broker.fenced);
    out.bool(broker.in_controlled_shutdown);
    match broker.log_dirs.as_slice() {
        [] => out.no_tags(),
        dirs => out.tags(&[(0, field(|out| write_uuids(out, dirs)))]),
    }
}

pub(super) fn read_broker(input: &mut Reader<'_>, version: u32) -> Result<BrokerImage> {
    let id = NodeId(input.i32()?);
    if version >= 2 {
        input.bool()?;
    }
    let incarnation = input.uuid()?;
    let epoch = input.i64()?;
    let endpoints = input.array(|input| {
        let endpoint = Endpoint {
            listener: input.string()?,
            host: input.string()?,
            port: input.u16()?,
            security_protocol: input.i16()?,
        };
        input.skip_tags()?;
        Ok(endpoint)
    })?;
    let features = input.array(|input| {
        let feature = (input.string()?, (input.i16()?, input.i16()?));
        input.skip_tags()?;
        Ok(feature)
    })?;
    let mut broker = BrokerImage {
        id,
        epoch,
        incarnation,
        endpoints,
        rack: input.nullable_string()?,
        features: features.into_iter().collect::<BTreeMap<_, _>>(),
        log_dirs: Vec::new(),
        fenced: input.bool()?,
        in_controlled_shutdown: version >= 1 && input.bool()?,
    };
    input.tags(|tag, input| {
        if tag == 0 {
            broker.log_dirs = input.array(Reader::uuid)?;
        }
        Ok(())
    })?;
    Ok(broker)
}

pub(super) fn registration_change_fields(
    fenced: Option<bool>,
    in_controlled_shutdown: bool,
    log_dirs: &[Uuid],
) -> Vec<(u32, Vec<u8>)> {
    let mut fields = Vec::new();
    if let Some(fenced) = fenced {
        fields.push((0, field(|out| out.i8(if fenced { 1 } else { -1 }))));
    }
    if in_controlled_shutdown {
        fields.push((1, field(|out| out.i8(1))));
    }
    if !log_dirs.is_empty() {
        fields.push((2, field(|out| write_uuids(out, log_dirs))));
    }
    fields
}

pub(super) fn read_registration_change(input: &mut Reader<'_>) -> Result<MetadataRecord> {
    let id = NodeId(input.i32()?);
    let epoch = input.i64()?;
    let mut fenced = None;
    let mut in_controlled_shutdown = false;
    let mut log_dirs = Vec::new();
    input.tags(|tag, input| {
        match tag {
            0 => match input.i8()? {
                0 => {}
                number => fenced = Some(number > 0),
            },
            1 => in_controlled_shutdown = input.i8()? > 0,
            2 => log_dirs = input.array(Reader::uuid)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(MetadataRecord::BrokerRegistrationChange {
        id,
        epoch,
        fenced,
        in_controlled_shutdown,
        log_dirs,
    })
}
