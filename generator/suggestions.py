# SPDX-License-Identifier: BSD-2-Clause
"""What is suggested to whoever wrote a value of the wrong kind, or left a key out: how it looks when it is right."""
import re

EXAMPLES = {  # what is read, as messages call it, without the name of this one -> a line that is right
    "a rule of the policy": "- never: net -> vault",
    "argument": "{name: data, type: bytes, max: 64}",
    "an argument": "{name: data, type: bytes, max: 64}",
    "a member": "{name: size, type: u32}",
    "budget": "budget: {time: 2ms, period: 10ms}",
    "calls": "calls: [self_clock]",
    "class": "class: ioport",
    "component": "component: servers/log",
    "config": "config: dev_defconfig",
    "connect": "connect: {log: log}",
    "connection": "log: {to: log, rights: [call]}",
    "count": "count: 4",
    "deadline": "deadline: 5ms",
    "default": "default: 10",
    "defaults": "defaults: {priority: 100}",
    "description": "description: What it is for, in a line",
    "device": 'ports: "ioport:0x3f8-0x3ff"',
    "files": "files: {config: extras/config.txt}",
    "instance": "log: {component: servers/log}",
    "instances": "instances: {log: {component: servers/log}}",
    "interface": "interface: log",
    "interpose": "interpose: {who: [fs], calls: all}",
    "kind of cycle": "no_cycles: call",
    "machine": "machine: {memory: 128M}",
    "may_use": "may_use: disk",
    "max": "max: 64",
    "method": "write: {number: 1, doc: What it does}",
    "methods": "methods: {write: {number: 1, doc: What it does}}",
    "mode": "mode: HARDENED",
    "name": "name: data",
    "number": "number: 1",
    "only": "only: {who: [fs], may_use: disk}",
    "pages": "pages: 4",
    "period": "period: 10ms",
    "restart policy": "policy: always",
    "system": "system: gateway",
    "target of a connection": "log: log",
    "tessera": "tessera: 1",
    "time": "time: 2ms",
    "to": "to: log",
    "type": "type: u64",
    "types": "types: {way: {enum: [UP, DOWN]}}",
    "video": 'video: "1024x768"',
    "who": "who: [fs]",
    "words": "words: [slow, fast]",
    "work": "work: 1ms",
}


def lines(what: str) -> str:
    """For what must be a mapping."""
    return _like(what) or "write `key: value` lines below it, all indented alike"


def text(what: str) -> str:
    """For what must be text."""
    return _like(what) or "write one word, or text in quotes"


def key(name: str) -> str:
    """For a key that is not there."""
    return _like(name) or f"add `{name}:` with its value"


def _like(what: str) -> str:
    example = EXAMPLES.get(re.sub(r' ".*"$', "", what))
    return f"write it as in `{example}`" if example else ""
