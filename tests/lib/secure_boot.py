# SPDX-License-Identifier: BSD-2-Clause
"""OVMF with secure boot on, which starts what one certificate has signed and nothing else.

Debian's variables with the snakeoil keys have secure boot on; here the list of what may be started (`db`) becomes one
of that certificate alone. The layout is edk2's: a firmware volume's header, a variable store's, then variables (see
EFI_FIRMWARE_VOLUME_HEADER, VARIABLE_STORE_HEADER, AUTHENTICATED_VARIABLE_HEADER; EFI_SIGNATURE_LIST in the UEFI
specification, 32.4.1).
"""
from __future__ import annotations

import struct
import uuid
from dataclasses import replace
from pathlib import Path

from lib.vm import OVMF, Machine

CODE, VARIABLES = OVMF / "OVMF_CODE_4M.secboot.fd", OVMF / "OVMF_VARS_4M.snakeoil.fd"
STORE_HEADER = 28
VARIABLE = struct.Struct("<HBBIQ16sIII16s")  # start, state, -, attributes, count, time, key, name, data, vendor
START, ADDED, DELETED = 0x55AA, 0x3F, 0x3D
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").bytes_le
DB = "db\0".encode("utf-16-le")


def _variables(store: bytes, at: int) -> list[tuple[int, tuple[object, ...], bytes]]:
    """(offset, header, name) of each variable from `at` on; the last has no name and begins the free space."""
    found: list[tuple[int, tuple[object, ...], bytes]] = []
    while True:
        header = VARIABLE.unpack_from(store, at)
        if header[0] != START:
            return [*found, (at, header, b"")]
        name, data = header[7], header[8]
        found.append((at, header, store[at + VARIABLE.size:at + VARIABLE.size + name]))
        at += (VARIABLE.size + name + data + 3) // 4 * 4


def variables(certificate: bytes) -> bytes:
    """The firmware's variables; `certificate` is DER."""
    store = bytearray(VARIABLES.read_bytes())
    first = struct.unpack_from("<H", store, 48)[0] + STORE_HEADER
    rows = _variables(bytes(store), (first + 3) // 4 * 4)
    at, header, _ = next(row for row in rows if row[2] == DB and row[1][1] == ADDED)
    store[at + 2] = DELETED
    data = X509 + struct.pack("<III", 28 + 16 + len(certificate), 0, 16 + len(certificate)) + bytes(16) + certificate
    record = VARIABLE.pack(*header[:8], len(data), header[9]) + DB + data
    end = rows[-1][0]
    assert set(store[end:end + len(record)]) == {0xFF}, "the store has no room"
    store[end:end + len(record)] = record
    return bytes(store)


def secure(machine: Machine, certificate: bytes, folder: Path) -> Machine:
    """That machine with the firmware; `folder` is the test's own, for the variables."""
    file = folder / "secure.fd"
    file.write_bytes(variables(certificate))
    return replace(machine, firmware="bios", board="q35,smm=on", extra=(
        *machine.extra, "-global", "driver=cfi.pflash01,property=secure,value=on",
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={CODE}",
        "-drive", f"if=pflash,unit=1,format=raw,file={file}"))
