# SPDX-License-Identifier: BSD-2-Clause
"""Every error code with its title and the text of `tessera explain`. Codes are never renumbered or reused.

TSS-0xx are here; TSS-1xx, about interface files, stand in interface.py.
"""
from generator.interface import CODES as INTERFACE_CODES

CODES: dict[str, tuple[str, str]] = {
    "TSS-001": ("file cannot be read", "A manifest, a description or a tool's input is missing, unreadable or no "
                "file, or what is made cannot be written where it should lie. Systems are found as "
                "manifests/NAME.yaml; a name with a slash or .yaml is taken as a path."),
    "TSS-002": ("not UTF-8", "Descriptions are UTF-8 text. The place is the first byte that is not."),
    "TSS-003": ("not valid YAML", "The YAML parser gave up here; nothing after this place was looked at. Tabs must "
                "not indent."),
    "TSS-004": ("too large or too deep", "A description may have 256 KiB and be nested 16 deep, so that reading a "
                "hostile file costs a bounded amount of work."),
    "TSS-005": ("not a description", "The file is empty, or its top level is not `key: value` lines."),
    "TSS-006": ("YAML feature that is not used", "Anchors, aliases, merge keys, tags, keys that are not words and "
                "several documents are not part of the format: what stands in the file is what is meant."),
    "TSS-007": ("duplicate key", "A key appears twice in one place; YAML readers disagree about which one counts."),
    "TSS-008": ("ambiguous value", "YAML readers disagree about bare no, 010, 0x10, 1:30 and 1_000, and a number in "
                "quotes is text. Write decimal numbers and true or false bare, and everything that is meant as text "
                "but looks like one of these in quotes."),
    "TSS-010": ("unknown key", "The key means nothing here. It is refused so that a misspelt key is never ignored."),
    "TSS-011": ("missing key", "A key that has no default is missing."),
    "TSS-012": ("wrong type", "The value is of another kind than the key needs: text, number, list or lines."),
    "TSS-013": ("out of range", "The value is of the right kind but too small, too large or not a whole number of "
                "pages. The hint gives the range."),
    "TSS-014": ("bad name", "Instances and systems: a-z first, then a-z 0-9 _, at most 15 characters. Names inside "
                "component.yaml may also have - and 31 characters. `init` is always there and cannot be an instance."),
    "TSS-015": ("unknown word", "The value must be one of a fixed set of words."),
    "TSS-016": ("manifest of another version", "`tessera: 1` is the version this generator reads."),
    "TSS-017": ("system and file differ", "manifests/NAME.yaml describes the system NAME; build/NAME is made from it."),
    "TSS-018": ("component and folder differ", "components/<group>/<name>/component.yaml describes <group>/<name>."),
    "TSS-019": ("contradiction", "Two statements of one description exclude each other: names that would give two "
                "things one slot name, a directory without clients, a word listed twice, a symbol of another name."),
    "TSS-020": ("no such component", "No folder components/<group>/<name> with a component.yaml has this name."),
    "TSS-021": ("no such interface", "No file components/interfaces/<name>.yaml has this name."),
    "TSS-022": ("no such connection", "The component does not need anything by this name; see `needs` in its "
                "component.yaml."),
    "TSS-023": ("no such instance", "A connection leads to an instance that the manifest does not have."),
    "TSS-024": ("interface mismatch", "The instance does not provide the interface that the connection needs."),
    "TSS-025": ("ambiguous provider", "The instance provides the interface more than once; name one of them as "
                "instance.name."),
    "TSS-026": ("required need is not connected", "Nothing is connected by itself: authority that is not written down "
                "does not exist. Connect it, or make the need optional in component.yaml."),
    "TSS-027": ("right not offered", "A connection cannot carry a right that the component's need does not list."),
    "TSS-028": ("no such device", "The component does not use a device by this name; see `devices` in component.yaml."),
    "TSS-029": ("required device is not given", "The device has no default and the manifest gives none."),
    "TSS-030": ("bad device address", "Devices are written as ioport:0x3f8, irq:4, mmio:0xb8000 or pci:1af4:1044, of "
                "the class "
                "and within the range that the component declares."),
    "TSS-031": ("I/O ports overlap", "Two drivers would share I/O ports."),
    "TSS-032": ("interrupt line used twice", "An interrupt line has one driver."),
    "TSS-033": ("device memory overlaps", "Two drivers would share pages of a device."),
    "TSS-034": ("memory budget too small", "The budget must hold the copied segments, stack, heap, page tables, "
                "capability space, thread and kernel objects of the instance. The message says how much that is."),
    "TSS-035": ("budgets exceed the machine", "The budgets of all instances, init, the bundle and 4 MiB for the kernel "
                "must fit into machine.memory, so that no instance can ever be refused what it was promised."),
    "TSS-036": ("CPU that cannot be", "CPUs are numbered from 0 and the kernel runs CONFIG_MAX_CPUS of them. A machine "
                "with fewer runs the instance on CPU `cpu` modulo those it has, and init says so."),
    "TSS-037": ("too few slots", "The capability space must hold the planned slots and 8 free ones."),
    "TSS-038": ("device memory in RAM", "An mmio device lies where the machine has RAM."),
    "TSS-039": ("system too large", "A limit of the bundle or of init is exceeded: 255 instances, 3400 objects, 1024 "
                "sections, 4096 slots of init, which has one for each object and three for each instance."),
    "TSS-040": ("mode weaker than the server's", "`mode:` of an instance is the least that it demands of connections "
                "to it; the stricter one counts, so a weaker one at a connection would not be what it says."),
    "TSS-041": ("nothing restarts instances", "`restart` and `heartbeat` are carried out by an instance of "
                "servers/reincarnation. A system without one leaves ended instances ended."),
    "TSS-042": ("key not in this version", "The key belongs to the format but nothing acts on it yet, so it is refused "
                "instead of ignored."),
    "TSS-043": ("server below its ceiling", "A caller lends its priority to a server on its own CPU only. A server "
                "with clients on other CPUs runs at its own, which therefore is at least that of each of them."),
    "TSS-044": ("unused grant", "The component asks for authority that none of its sources names. What nobody uses, an "
                "attacker does: remove it. A use by number counts if a comment names the slot."),
    "TSS-045": ("component sends no heartbeats", "Silence would be taken for a hang. A component whose program sends "
                "heartbeats (every user of tss_serve does) says `heartbeat: true` in its component.yaml."),
    "TSS-046": ("nobody can reset the machine", "`then: reboot` needs the supervisor's connection `power`."),
    "TSS-047": ("supervisor is not urgent enough", "An instance that runs wild at the supervisor's priority or above "
                "would keep it from running, so the supervisor's is higher than all others on its CPU."),
    "TSS-048": ("`may` without a supervisor", "`may` says what the supervisor does for a client of its interface; "
                "other servers do not know it."),
    "TSS-049": ("supervisor is guarded by init", "init restarts the supervisor, always and in one way; it has no "
                "contract of its own and is nobody's dependant."),
    "TSS-050": ("no such configuration", "`config:` names a file in configs/."),
    "TSS-051": ("component is not configured", "The Kconfig symbol that compiles the component is not set in the "
                "build's .config. Set it with `make menuconfig`, or use the configuration the manifest names."),
    "TSS-052": ("two supervisors", "A system has one instance of servers/reincarnation: who restarts an instance must "
                "be clear."),
    "TSS-053": ("no such fragment", "`extends` names files beside the manifest, or in a folder manifests/ of the tree "
                "or of TESSERA_EXTRA. What they say is laid under what the manifest says."),
    "TSS-054": ("fragments without end", "A fragment extends itself, directly or through others, or more than 64 files "
                "are extended."),
    "TSS-055": ("nothing to remove", "`remove` names what the extended files have, as keys joined by dots: "
                "instances.shell.connect.echo. Entries of lists cannot be named. What is not there cannot be removed, "
                "so that a misspelt path is not taken for a removal."),
    "TSS-056": ("name is taken", "What TESSERA_EXTRA adds has names of its own: it cannot replace what is in the "
                "tree."),
    "TSS-057": ("no such parameter", "The component has no parameter by this name; see `parameters` in its "
                "component.yaml."),
    "TSS-058": ("required parameter is not set", "The parameter has no default, so each instance sets it."),
    "TSS-060": ("not a component image", "The file is not a position-independent x86-64 ELF executable."),
    "TSS-061": ("relocation that cannot be applied", "Text and read-only data are mapped as they lie in the bundle, so "
                "only R_X86_64_RELATIVE relocations in the read-write segment are possible."),
    "TSS-062": ("segment is writable and executable", "No memory is ever both (W^X)."),
    "TSS-063": ("segments of the wrong shape", "An image has at most three segments, one of each: R-X, R-- and RW-, "
                "at page boundaries, without overlap, together at most 1 GiB."),
    "TSS-064": ("entry point outside text", "The entry point must lie in the executable segment."),
    "TSS-065": ("component is not built", "The component's ELF is missing in the build folder. `make image` compiles "
                "components first."),
    "TSS-070": ("bundle is malformed", "verify could not read the finished bundle: header, section table, layout or "
                "padding is not as kernel/include/abi/bundle.h says."),
    "TSS-071": ("hash does not match", "verify found a section or header whose BLAKE2b hash is not the one recorded."),
    "TSS-072": ("reference is out of range", "verify found an index in the init table that names nothing, or a row of "
                "an impossible kind."),
    "TSS-073": ("bundle differs from the manifest", "verify derived the system again from manifest and component.yaml "
                "by its own code and found a difference in the bundle. Either the file was changed after it was "
                "made, or the generator has a defect; the image must not be used."),
    "TSS-074": ("plan.json differs from the bundle", "The plan that tests and people read does not say what the bundle "
                "grants."),
    "TSS-081": ("never, but it can", "The policy says `never: A -> B`, but there is a chain of steps by which "
                "A influences B: a request reaches the server, an answer reaches the client, a supervisor ends its "
                "instances, a connection with the right grant may be handed on. Each step is shown with its line. What "
                "influences B is also what B is told: `never: B -> A` forbids that A learns from B. A server "
                "whose component.yaml says `keeps_apart: true` passes nothing from one client to another; verdicts "
                "that rest on it name it. Trusted without being named are the kernel and init."),
    "TSS-082": ("used by another", "The policy says `only: {who: [..], may_use: X}`, but somebody else is connected to "
                "X, or can be handed a connection to it by one who holds it with the right grant."),
    "TSS-083": ("isolated, but reached", "The policy says that these instances are isolated, but one of them can "
                "influence another. See TSS-081 for what counts as a step."),
    "TSS-084": ("calls in a circle", "The policy says `no_cycles: call`, but these instances can call each other in a "
                "circle: if each waits for the next, none goes on. A connection to itself is a circle of one."),
    "TSS-085": ("authority grew", "`tessera diff OLD NEW --fail-on-growth` found something that there is more of in "
                "NEW: an instance, a right, a reach, a priority, memory, a trusted server, or a rule that is no longer "
                "demanded. Each is shown with its line; for a reach, the steps."),
    "TSS-086": ("it can", "`tessera why-not A B` was asked to show that A cannot influence B, but there are steps by "
                "which it does."),
    "TSS-090": ("stack too small", "The longest way down the component's call graph, shown step by step, takes "
                "more than the thread's stack. Each function's frame is read from its instructions; an indirect call "
                "may go to any function whose address is taken, unless `stacks: {calls: {..}}` in component.yaml says "
                "where it goes. `tessera stack SYSTEM` shows all threads."),
    "TSS-091": ("recursion without a bound", "Functions of a component call each other in a circle, so no stack is "
                "surely large enough. component.yaml can bound the activations that a function has at once: "
                "`stacks: {recursion: {walk: 20}}`. A circle through an indirect call often is none: name with "
                "`stacks: {calls: {FUNCTION: [TARGETS]}}` where it goes."),
    "TSS-092": ("stack cannot be followed", "An instruction puts the stack pointer somewhere that is not known when "
                "building, its frame grows in a loop, or a call leads where no function is. What does that on purpose "
                "stands under `stacks: {leaves: [..]}` in component.yaml; its own frame counts, what comes after "
                "does not."),
    "TSS-093": ("no such function", "What component.yaml says under `stacks` is about a function that the component "
                "does not have, neither compiled nor in its sources."),
    "TSS-094": ("not a file of sizes", "`tessera size --compare` reads systems, and files that `tessera size --json` "
                "wrote."),
    "TSS-095": ("thread whose stack is not known", "The component's sources start threads, but its component.yaml does "
                "not say in which functions they begin and how many bytes of stack each has: "
                "`stacks: {threads: {worker: 8192}}`."),
    "TSS-096": ("deadline may be missed", "The longest time from when the instance's period begins until its work is "
                "done, added up from what the notes name, is beyond its deadline. `tessera response SYSTEM` shows the "
                "sums of all; generator/response.py says how they are made. Starting and restarting are not covered."),
    "TSS-097": ("somebody could come in between", "An instance that is as urgent as one with a deadline, on a CPU on "
                "which that one's work is done, can run as often as it likes: it is no server that runs only when "
                "called, or somebody may send to it, or it has an interrupt, and it declares no `period` and `work`."),
    "TSS-098": ("response time not known", "A time on the way from an instance with a deadline through the calls it "
                "makes is not known: a server's `work`, the machine's `speed`, a figure of the bench, or how often a "
                "circle of calls is gone round."),
    "TSS-099": ("file of an instance", "A component lists in `files` what it finds in the image; each instance says "
                "which file that is. Paths are relative to the tree or to TESSERA_EXTRA; what begins with build/ is "
                "made by the build and lies in its output folder."),
    "TSS-087": ("no trace", "`tessera trace FILE` reads what servers/trace put out: lines that begin with ~, from "
                "~trace to ~end, which counts them. The file has none, or some are missing or damaged, or they are of "
                "another version."),
    "TSS-088": ("call to a mailbox", "What is provided with `kind: mailbox` takes messages that nobody waits for. "
                "Connections to it have the right send and not call."),
    "TSS-110": ("no such method", "`methods` lists what the client may call of the connection's interface; everything "
                "else is refused by the kernel unless the connection is FAST."),
    "TSS-111": ("rate without PARANOID", "Only PARANOID connections have a rate limit."),
    "TSS-112": ("nobody reads the record", "Each message through a PARANOID connection has a place in the kernel's "
                "audit ring until an instance of servers/audit has read it. Without one the ring fills up and "
                "everything PARANOID is refused."),
    "TSS-113": ("a record that makes records", "What servers/audit writes passes through its own connections and "
                "those of its servers. If these were PARANOID each line of the record would make the next."),
    "TSS-114": ("mode below the minimum", "The policy says `minimum_mode`, but a connection that it covers has a "
                "weaker mode."),
    "TSS-115": ("record is not whole", "`tessera audit` checks that no record of PARANOID connections was changed, "
                "left out, repeated or put elsewhere. Records that are missing at the end show in no chain: --head "
                "says what the last hash must be."),
    "TSS-089": ("nobody supplies the pages", "`paged` says how many bytes of addresses at TSS_LAYOUT_PAGED have their "
                "pages from a memory server: the one at the other end of the instance's one connection with the "
                "interface mem."),
    "TSS-120": ("no such system call", "Calls are named as in kernel/include/abi/syscalls.def: object, _, verb. An "
                "instance may make those that its component's stubs can make, and those that component.yaml lists in "
                "`calls`, without those that the instance denies."),
    "TSS-121": ("monitor that cannot be", "A monitor, which provides the interface monitor, is asked about another "
                "instance's system calls, which wait until it answers. So it cannot be asked about itself or about "
                "anybody whose services it uses, and each instance has at most one."),
    "TSS-130": ("not a scheduler", "`scheduler:` names an instance of servers/sched, which sets priority, slice and "
                "budget of those under it. Its own priority must be higher than any of theirs."),
    "TSS-131": ("two who give budgets", "A scheduler gives those under it budgets as its policy demands, so `budget:` "
                "would hold only until it does."),
    "TSS-133": ("budget below what is needed", "What an instance with a deadline does in a period is charged to its "
                "budget: its own work, and what servers do for it and, while it waits in line, for others. `tessera "
                "response` adds that up."),
    "TSS-132": ("heartbeat shorter than a budget's period", "A server works in its client's time. When that is used up "
                "in the middle of a request, the server waits, unless somebody else calls it, until the client's next "
                "period begins. Its heartbeat must be several times as long."),
    "TSS-136": ("PCI device used twice", "A device on PCI has one driver; these two name it in the same way. Two that "
                "name one device in different ways show when the system runs: the manager gives it to the first."),
    "TSS-137": ("a method that is called, but not granted",
                "component.yaml lists the methods that the component calls on a connection (`needs: {log: {interface: "
                "log, methods: [write]}}`); its code cannot call others, and the manifest must grant these."),
    "TSS-138": ("a method that is granted, but never called",
                "The connection grants more than the methods that component.yaml says the component calls."),
    "TSS-139": ("written for another version of an interface",
                "`version:` in an interface's file grows when what travels changes its meaning. A component that says "
                "which version it was written for is not used with another."),
    "TSS-140": ("compiled with another version of an interface",
                "Each program says with which interfaces it was compiled: name, version, and a fingerprint of all that "
                "the two sides of a connection must agree on."),
    "TSS-141": ("an option that the manifest requires is off",
                "`requires: [CONFIG_SMAP]` lists options of Kconfig without which the system is not built, whatever "
                "configuration it is built with."),
    "TSS-142": ("the manual is not whole", "`tessera manual` is made from the tables of the kernel, the bench and "
                "Kconfig. Each row is named where generator/templates/manual.md.j2 tells of its mechanism, and none "
                "that is not there."),
    "TSS-143": ("memory over a connection that lets none pass",
                "HARDENED and PARANOID connections carry memory only if the manifest says so by name: `memory: true`. "
                "Without it the kernel refuses each request with a `buffer` or a `cap` of memory (SHARE). A mode that "
                "is raised while the system runs is not looked at here, but by the kernel."),
    "TSS-134": ("nobody manages PCI", "A device `pci:..` is a connection to the one instance that provides the "
                "interface pci, which finds the device when the system runs: drivers/pci."),
    "TSS-135": ("too little memory in a row", "What drivers of PCI devices may have for their devices (`dma:` in "
                "component.yaml) lies in memory that the manager of PCI has from the start, so that no device ever "
                "writes into what has become somebody else's. It must be enough for all."),
    "TSS-080": ("tool failed", "A program that the generator uses is missing or failed; its own words follow."),
} | INTERFACE_CODES
