# SPDX-License-Identifier: BSD-2-Clause
"""User stubs of the VALUE system calls. MESSAGE calls need all message registers and are libtessera's own work."""
from generator.abi import Abi, Call

_HEAD = """/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.h - user stubs, made from kernel/include/abi/syscalls.def by `generator/tessera stubs`; do not edit.
 *
 * Each returns a status (abi.h); a call that yields a value stores it at `value`, which may be NULL, only if the
 * status is TSS_OK. The calls that carry messages are in <tessera/ipc.h>.
 */
#pragma once
#include "abi.h"
#include <stddef.h>
#include <tessera/call.h>
"""
_REGISTERS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
_TYPED = {"cap": "cap_t", "parent": "cap_t", "unit": "cap_t", "memory": "cap_t", "thread": "cap_t", "sched": "cap_t",
          "port": "cap_t", "reply": "cap_t", "connection": "cap_t", "event": "cap_t", "irq": "cap_t",
          "ioport": "cap_t", "system": "cap_t", "source": "cap_t"}


def _stub(call: Call) -> str:
    """One static inline function; argument i goes to register i, rdx brings the value back."""
    names = call.arguments
    parameters = [f"{_TYPED.get(n, 'uint64_t')} {n}" for n in names] + (["uint64_t *value"] if call.has_value else [])
    body = [f"\tuint64_t status = {call.number:#x};"]
    lost = ["rcx", "r11"]
    operands = ['"+a"(status)']
    for register in _REGISTERS:
        index = _REGISTERS.index(register)
        argument = names[index] if index < len(names) else None
        if argument is None and register != "rdx":
            if register != "rcx":
                lost.append(register)
            continue
        initial = f" = {argument}" if argument else ""
        declare = "register uint64_t" if register.startswith("r1") or register in ("r8", "r9") else "uint64_t"
        suffix = f' __asm__("{register}")' if declare.startswith("register") else ""
        body.append(f"\t{declare} {register}_{suffix}{initial};")
        constraint = {"rdi": "D", "rsi": "S", "rdx": "d"}.get(register, "r")
        operands.append(f'"{"+" if argument else "="}{constraint}"({register}_)')
    clobbers = ", ".join(f'"{name}"' for name in [*lost, "memory"])
    body.append(f'\t__asm__ volatile(TSS_SYSCALL_MARKED : {", ".join(operands)}\n\t\t\t : [call] "i"({call.number:#x}) '
                f': {clobbers});')
    if call.has_value:
        body.append("\tif (value != NULL && status == TSS_OK)\n\t\t*value = rdx_;")
    body.append("\treturn status;")
    signature = f"static inline tss_status_t tss_{call.object}_{call.verb}({', '.join(parameters) or 'void'})"
    return f"/* {call.text} */\n{signature}\n{{\n" + "\n".join(body) + "\n}\n"


def syscalls_header(abi: Abi) -> str:
    """include/tessera/syscalls.h"""
    return "\n".join([_HEAD, *(_stub(call) for call in abi.calls if call.form == "VALUE")])
