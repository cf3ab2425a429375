# SPDX-License-Identifier: BSD-2-Clause
"""compose: a manifest and the fragments that it extends -> one tree, in which each node keeps the place it came from.

    extends: [base.yaml, fragments/net.yaml]   # later ones win over earlier ones, this file over all of them
    remove: [instances.ping, instances.shell.connect.echo]

What is `key: value` lines on both sides is joined key by key; any other value is replaced by the later one. The lines
of `policy` add up: a fragment's policy goes away only by `remove: [policy]`, never by accident. A fragment is a
manifest; its name and description are its own. `remove` takes from what was extended, before this file is laid over it.
"""
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from generator.diagnostics import Diagnostic, Note, Position, Refused, did_you_mean, short
from generator.fields import Reader
from generator.inputs import Source
from generator.load import Mapping, Node, Scalar, Sequence, load

FILE = re.compile(r"(?!/)[A-Za-z0-9_.][A-Za-z0-9_./-]{0,100}\.yaml")
OWN = ("tessera", "system", "description", "extends", "remove")  # say something about one file only
JOINED, ADDED = ("machine", "defaults", "instances"), "policy"
FILES_MAX = 64
Fetch = Callable[[str], Source | None]  # the fragment of that name, if there is one


@dataclass
class Composed:
    """One tree made of all files; `files` by the name that `extends` calls them."""

    tree: Mapping
    errors: list[Diagnostic] = field(default_factory=list)
    files: dict[str, Source] = field(default_factory=dict)
    replaced: dict[Position, Position] = field(default_factory=dict)  # place of a value -> of the one it overrides

    def explained(self, errors: list[Diagnostic]) -> list[Diagnostic]:
        """The errors; at a value that overrides another, the place of the other is added."""
        return [replace(e, notes=(*e.notes, Note(self.replaced[e.position], "overrides this")))
                if e.position in self.replaced else e for e in errors]


class _Composer(Reader):
    def __init__(self, fetch: Fetch, version: Callable[[Reader, Mapping], None]) -> None:
        super().__init__()
        self.fetch, self.version = fetch, version
        self.files: dict[str, Source] = {}
        self.replaced: dict[Position, Position] = {}
        self.count = 0

    def merge(self, base: Mapping, top: Mapping) -> Mapping:
        """`top` laid over `base`; what is new comes last."""
        entries = {key.text: (key, value) for key, value in base.entries}
        for key, value in top.entries:
            before = entries.get(key.text)
            if before is None:
                entries[key.text] = (key, value)
            elif isinstance(value, Mapping) and isinstance(before[1], Mapping):
                entries[key.text] = (before[0], self.merge(before[1], value))
            elif key.text == ADDED and isinstance(value, Sequence) and isinstance(before[1], Sequence):
                entries[key.text] = (before[0], Sequence(before[1].items + value.items, before[1].position))
            else:
                entries[key.text] = (key, value)
                self.replaced[value.position] = before[1].position
        return Mapping(tuple(entries.values()), top.position)

    def names(self, tree: Mapping, key: str, what: str) -> list[Scalar]:
        node = tree.get(key)
        items = self.sequence(node, what) if node is not None else ()
        return [text for item in items if (text := self.text(item, f"entry of {what}")) is not None]

    def fragment(self, name: Scalar, stack: tuple[str, ...]) -> Mapping | None:
        """The tree of a file that is extended, without what it says about itself."""
        if not FILE.fullmatch(name.text):
            self.error("TSS-053", name.position, f"{short(name.text)} is no fragment's name",
                       "write a file beside the manifest or in manifests/, such as base.yaml")
            return None
        if name.text in stack:
            self.error("TSS-054", name.position, f"{short(name.text)} extends itself: "
                       f"{' -> '.join((*stack[stack.index(name.text):], name.text))}", "take one of them out")
            return None
        self.count += 1
        source = self.fetch(name.text) if self.count <= FILES_MAX else None
        if source is None:
            code, what, hint = (("TSS-054", f"more than {FILES_MAX} files are extended", "extend fewer")
                                if self.count > FILES_MAX else
                                ("TSS-053", f"there is no fragment {short(name.text)}",
                                 "fragments lie beside the manifest, or in manifests/"))
            self.error(code, name.position, what, hint)
            return None
        self.files[name.text] = source
        tree, errors = load(source.data, source.path)
        self.errors += errors
        self.version(self, tree)
        self.shapes(tree)
        whole = self.extended(tree, (*stack, name.text))
        return Mapping(tuple((k, v) for k, v in whole.entries if k.text not in OWN), whole.position)

    def shapes(self, tree: Mapping) -> None:
        """What is of another kind in a fragment would be replaced as a whole, and nobody would hear of it."""
        for key in JOINED:
            if (node := tree.get(key)) is not None:
                self.mapping(node, key)
        if (node := tree.get(ADDED)) is not None:
            self.sequence(node, ADDED)

    def extended(self, tree: Mapping, stack: tuple[str, ...]) -> Mapping:
        """`tree` laid over what it extends; without its keys `extends` and `remove`."""
        base: Mapping | None = None
        for name in self.names(tree, "extends", "extends"):
            part = self.fragment(name, stack)
            if part is not None:
                base = part if base is None else self.merge(base, part)
        for path in self.names(tree, "remove", "remove"):
            base = self.without(base or Mapping((), tree.position), path.text.split("."), path)
        own = Mapping(tuple((k, v) for k, v in tree.entries if k.text not in ("extends", "remove")), tree.position)
        return own if base is None else self.merge(base, own)

    def without(self, tree: Mapping, path: list[str], whole: Scalar) -> Mapping:
        """`tree` without what lies at `path`; `whole` is the path as it is written."""
        value = tree.get(path[0])
        if value is None or len(path) > 1 and not isinstance(value, Mapping):
            known = [key.text for key, _ in tree.entries]
            self.error("TSS-055", whole.position, f"there is nothing to remove at {short(whole.text)}",
                       did_you_mean(path[0], known) if value is None else f"{short(path[0])} has nothing below it")
            return tree
        if len(path) == 1:
            return Mapping(tuple(e for e in tree.entries if e[0].text != path[0]), tree.position)
        assert isinstance(value, Mapping)
        inner: Node = self.without(value, path[1:], whole)
        return Mapping(tuple((k, inner if k.text == path[0] else v) for k, v in tree.entries), tree.position)


def compose(source: Source, fetch: Fetch, version: Callable[[Reader, Mapping], None]) -> Composed:
    """The whole tree of the manifest; raises Refused if one of its files has no tree."""
    tree, errors = load(source.data, source.path)
    composer = _Composer(fetch, version)
    composer.errors += errors
    try:
        whole = composer.extended(tree, ())
    except Refused as refused:
        raise Refused([*composer.errors, *refused.diagnostics]) from None
    return Composed(whole, composer.errors, composer.files, composer.replaced)
