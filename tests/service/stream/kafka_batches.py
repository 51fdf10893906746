"""Batches as brokers keep them, and a session's reading and writing of them."""

import struct
import time

from kafka.record._crc32c import crc as crc32c
from kafka.record.memory_records import MemoryRecordsBuilder
from worker_process import wait_until

from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Rejection

LENGTH, CRC, ATTRIBUTES = 8, 17, 21  # where they stand in a batch, after its first offset
NOW = round(time.time() * 1000)  # brokers throw away what is old


def batch_of(*values, codec=0):
    builder = MemoryRecordsBuilder(magic=2, compression_type=codec, batch_size=1_000_000)
    for value in values:
        builder.append(NOW, b"k", value, [])
    builder.close()
    return bytearray(builder.buffer())


def with_checksum(batch):
    """The batch with a checksum that fits what it holds."""
    batch[CRC:ATTRIBUTES] = struct.pack(">I", crc32c(bytes(batch[ATTRIBUTES:])))
    return bytes(batch)


def read(session, count):
    """The next messages of a session."""
    messages = []
    wait_until(lambda: _read_more(session, messages) >= count, lambda: messages)
    return messages


def _read_more(session, messages):
    messages.extend(session.poll(0.5))
    return len(messages)


def rejected(messages):
    return ScoredBatch(rejected=[(each, Rejection("empty", "Why.")) for each in messages])
