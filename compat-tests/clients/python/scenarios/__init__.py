"""What every client is asked to do, written once against `adapters.base.Client`."""

from . import admin, data, groups, restarts

SCENARIOS = {
    "topic-admin": admin.topic_admin,
    "errors": admin.errors,
    "delete-records": admin.delete_records,
    "list-many": admin.list_many,
    "codec-none": data.codec("none"),
    "codec-gzip": data.codec("gzip"),
    "codec-snappy": data.codec("snappy"),
    "codec-lz4": data.codec("lz4"),
    "codec-zstd": data.codec("zstd"),
    "record-shapes": data.record_shapes,
    "timestamps": data.timestamps,
    "auto-create": data.auto_create,
    "segments": data.segments,
    "empty-poll": data.empty_poll,
    "compression-type": data.compression_type,
    "log-append-time": data.log_append_time,
    "group-three": groups.group_three,
    "static-members": groups.static_members,
    "cooperative": groups.cooperative,
    "commit": groups.commit,
    "resume.1": restarts.resume_first,
    "resume.2": restarts.resume_second,
    "resume.3": restarts.resume_third,
    "idempotent.1": restarts.idempotent_produce,
    "idempotent.2": restarts.idempotent_read,
}
