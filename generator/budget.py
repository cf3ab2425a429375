# SPDX-License-Identifier: BSD-2-Clause
"""How many pages an instance needs, and whether budgets and machine are large enough.

The figures lean to the generous side: what the generator accepts, init must never fail to build.
"""
from collections.abc import Mapping

from generator import attached, parameters
from generator.check import Resolved, System
from generator.diagnostics import Diagnostic, Position
from generator.elf import PAGE, Image, pages
from generator.fields import size_text
from generator.layout import APART, moving, window
from generator.slots import MAILBOX_BASE, MAILBOX_SIZE, WINDOW_BASE, WINDOW_SIZE, mailbox_pages
from generator.supervision import SUPERVISOR

SLOT_BYTES = 64
QUEUE_ENTRY_BYTES = 586  # seven a page
THREAD_PAGES = 2
OBJECT_PAGES = 16  # slabs of the kernel's objects, one size class a page
KERNEL_BYTES = 4 << 20
INIT_SPARE_PAGES = 32
# Bytes of kernel objects that init pays for each instance: unit, supervise connection, slices of its image.
INIT_OBJECT_BYTES = 2048
KINDS = ("data", "stack", "heap", "tables", "slots", "objects")

IMAGE, HEAP, DIRECTORY, IMAGES, PAGED = 0x400000, 0x100000000, 0x200000000, 0x210000000, 0x400000000
STACK_TOP, IPC_PAGE, BUNDLE = 0x3ff00000, 0x00007ffff8000000, 0x1000000000


def table_pages(ranges: list[tuple[int, int]]) -> int:
    """Page-table pages for these ranges of (address, bytes): the top level and each distinct table below it."""
    tables = {(0, 0)}
    for start, size in ranges:
        for shift in (39, 30, 21):
            tables |= {(shift, index) for index in range(start >> shift, ((start + max(size, 1) - 1) >> shift) + 1)}
    return len(tables)


def _ranges(instance: Resolved, image: Image | None, files: Mapping[str, bytes], apart: int,
            looks: int) -> list[tuple[int, int]]:
    size = max((s.address + s.memory_size for s in image.segments), default=PAGE) if image else PAGE
    ranges = [(apart + IMAGE, size), (apart + STACK_TOP - instance.stack, instance.stack), (IPC_PAGE, PAGE)]
    ranges += [(HEAP, instance.heap)] if instance.heap else []
    ranges += [(DIRECTORY, PAGE)] if instance.component.directory or instance.component.name == SUPERVISOR else []
    ranges += [(IMAGES, looks)] if looks else []
    ranges += [(parameters.ADDRESS, PAGE)] if instance.component.parameters else []
    ranges += [(attached.ADDRESS + i * attached.WINDOW, PAGE + len(files.get(one.path, b"")))
               for i, one in enumerate(instance.files)]
    ranges += [(MAILBOX_BASE + i * MAILBOX_SIZE, mailbox_pages(p.depth) * PAGE)
               for i, p in enumerate(instance.component.mailboxes)]
    ranges += [(PAGED, instance.paged)] if instance.paged else []
    windows = [d for d in instance.component.devices if d.kind in ("mmio", "dma")]
    return ranges + [(WINDOW_BASE + i * WINDOW_SIZE, d.count * PAGE) for i, d in enumerate(windows)]


def by_kind(instance: Resolved, system: System, images: Mapping[str, Image],
            files: Mapping[str, bytes]) -> dict[str, int]:
    """Pages of the unit's budget by what they are for (KINDS); without an image, or the size of a file, at least."""
    image, apart = images.get(instance.component.name), APART * (instance.name in moving(system))
    copied = sum(pages(s.memory_size) for s in image.segments if s.kind == "data") if image else 0
    copied += sum(d.count for d in instance.component.devices if d.kind == "dma")
    queues = sum(pages(p.depth * QUEUE_ENTRY_BYTES) for p in instance.component.provides)
    queues += sum(mailbox_pages(p.depth) + 1 for p in instance.component.mailboxes)  # and the table of its frames
    found = (copied, pages(instance.stack), pages(instance.heap),
             table_pages(_ranges(instance, image, files, apart, window(instance, system, images, files))) +
             region_pages(instance.paged),
             pages(instance.slots * SLOT_BYTES), THREAD_PAGES + int(instance.component.fpu) + queues + OBJECT_PAGES)
    return dict(zip(KINDS, found))


def region_pages(size: int) -> int:
    """What a region costs beside its page tables: its own table, and a capability for each page."""
    return 1 + pages(pages(size) * SLOT_BYTES) if size else 0


def init_pages(count: int, image: Image | None, bundle_bytes: int, slots: int, stack_pages: int) -> int:
    """Pages init keeps; `count` instances besides it."""
    size = max((s.address + s.memory_size for s in image.segments), default=PAGE) if image else PAGE
    tables = table_pages([(IMAGE, size), (STACK_TOP - stack_pages * PAGE, stack_pages * PAGE), (IPC_PAGE, PAGE),
                          (BUNDLE, bundle_bytes)])
    return (pages(size) + stack_pages + tables + pages(slots * SLOT_BYTES) + THREAD_PAGES + OBJECT_PAGES +
            pages((2 * (count + 1) + 8) * QUEUE_ENTRY_BYTES) + pages(count * INIT_OBJECT_BYTES) + INIT_SPARE_PAGES)


def check_budgets(system: System, images: Mapping[str, Image], files: Mapping[str, bytes]) -> list[Diagnostic]:
    """Instances whose memory is less than they need. `images` by component; those not built yet count as empty."""
    errors = []
    for instance in system.instances:
        need = sum(by_kind(instance, system, images, files).values()) * PAGE
        if instance.memory < need:
            errors.append(Diagnostic(
                "TSS-034", instance.place("memory"), f'"{instance.name}" needs {size_text(need)}, its memory is '
                f"{size_text(instance.memory)}", f"write `memory: {size_text(need)}` or more"))
    return errors


def check_machine(system: System, init: int, bundle_bytes: int) -> list[Diagnostic]:
    """Budgets beyond the machine; `init` in pages."""
    units = sum(i.memory for i in system.instances)
    total = units + init * PAGE + bundle_bytes + KERNEL_BYTES
    if total <= system.memory:
        return []
    position: Position = system.manifest.memory_position
    return [Diagnostic("TSS-035", position, f"the machine has {size_text(system.memory)}, but {size_text(total)} are "
                       f"promised: instances {size_text(units)}, init {size_text(init * PAGE)}, bundle "
                       f"{size_text(bundle_bytes)}, kernel {size_text(KERNEL_BYTES)}",
                       "lower the instances' memory, or give the machine more")]
