# SPDX-License-Identifier: BSD-2-Clause
"""record: what components/servers/audit has written out, its chain of hashes checked; `tessera audit FILE`.

A line is `record RECORD HASH`, perhaps behind the log's `[NAME] `: struct tss_audit_record (kernel/include/abi/audit.h)
and the BLAKE2b-256 of the HASH before, zeros at first, and of RECORD. Records are numbered from 1 without gaps.
"""
import argparse
import json
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from generator.diagnostics import Diagnostic, Position, Refused
from generator.session import Session

LIKE = re.compile(r"(?:\[(\S+)\] |^)record (.*)")  # anywhere: a prompt may stand before it
BODY = re.compile(r"([0-9a-f]{128}) ([0-9a-f]{64})\s*")
RECORD = struct.Struct("<QQIIQ16s16s")
WHAT = {1: "CALL", 2: "SEND", 3: "REPLY", 4: "VIOLATION", 5: "MODE"}


@dataclass(frozen=True)
class Record:
    """One line that belongs to the chain."""

    line: int
    raw: bytes
    hash: bytes
    number: int
    time_us: int
    what: str
    connection: int
    tag: int
    client: str
    server: str

    def __str__(self) -> str:
        about = (f"mode before {self.tag}" if self.what == "MODE" else
                 f"type {self.tag & 0xffffffff} of {self.tag >> 32 & 0xffff} bytes, "
                 f"{self.tag >> 48 & 0xff} capabilities")
        way = "<-" if self.what == "REPLY" else "->"
        return (f"{self.number:8} {self.time_us / 1e6:12.6f} {self.what:9} {self.client} {way} {self.server} "
                f"(connection {self.connection}): {about}")


def _name(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", "backslashreplace")


def _record(line: int, raw: bytes, digest: bytes) -> Record:
    number, time_us, what, connection, tag, client, server = RECORD.unpack(raw)
    return Record(line, raw, digest, number, time_us, WHAT.get(what, f"kind {what}"), connection, tag, _name(client),
                  _name(server))


def check(text: str, path: str, writer: str) -> tuple[list[Record], list[Diagnostic]]:
    """The records in a file, and everything that is wrong with them."""
    found: list[Record] = []
    errors: list[Diagnostic] = []
    known: set[tuple[bytes, bytes]] = set()

    def error(line: int, message: str, hint: str = "") -> None:
        errors.append(Diagnostic("TSS-115", Position(path, line, 1), message, hint))

    for number, line in enumerate(text.splitlines(), 1):
        like = LIKE.search(line)
        if like is None or like[1] not in (None, writer):
            continue
        match = BODY.fullmatch(like[2])
        if match is None:
            error(number, "this is no whole record", "it was cut off, or changed")
            continue
        record = _record(number, bytes.fromhex(match[1]), bytes.fromhex(match[2]))
        if (record.raw, record.hash) in known:
            continue  # shown again, or the writer was restarted before it could say that it had written this
        before = found[-1] if found else None
        last, head = (before.number, before.hash) if before else (0, bytes(32))
        if record.number != last + 1:
            error(number, f"record {record.number} follows record {last}",
                  "records were left out, repeated or put in another order")
        elif blake2b(head + record.raw, digest_size=32).digest() != record.hash:
            error(number, f"record {record.number} does not have the hash that it says",
                  "this record was changed, or the one before")
        found.append(record)
        known.add((record.raw, record.hash))
    return found, errors


def to_json(records: Iterable[Record]) -> str:
    rows = [{k: v for k, v in vars(r).items() if k not in ("raw", "hash", "line")} | {"hash": r.hash.hex()}
            for r in records]
    return json.dumps(rows, indent=2)


def add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("audit", help="is the record of PARANOID connections whole and unchanged?")
    command.add_argument("file", metavar="FILE", help="what servers/audit has written, such as a console's log")
    command.add_argument("--writer", default="audit", metavar="NAME", help="instance of servers/audit (default: audit)")
    command.add_argument("--head", metavar="HASH", help="what the last record's hash must be")
    command.add_argument("--list", action="store_true", help="print what each record says")
    command.add_argument("--json", action="store_true", help="records, or errors, as a JSON list")
    command.set_defaults(run=command_audit)


def command_audit(session: Session) -> int:
    """Is the record whole and as it was written?"""
    arguments = session.arguments
    source = session.read(Path(arguments.file), "give it a file with what the console said")
    records, errors = check(source.text, source.path, arguments.writer)
    head = records[-1].hash.hex() if records else "0" * 64
    if arguments.head not in (None, head):
        errors.append(Diagnostic("TSS-115", Position(source.path), f"the last record's hash is {head}, not "
                                 f"{arguments.head}", "the end is missing, or this is the record of another boot"))
    if not records and not errors:
        errors.append(Diagnostic("TSS-115", Position(source.path), "there is no record in it",
                                 "give it what servers/audit wrote, such as a console's log; `--writer` if it has "
                                 "another name"))
    if errors:
        raise Refused(errors)
    if arguments.json:
        print(to_json(records))
        return 0
    if arguments.list:
        print("\n".join(str(record) for record in records))
    violations = sum(record.what == "VIOLATION" for record in records)
    print(f"{source.path}: {len(records)} records, none changed or left out, {violations} violations; head {head}")
    return 0
