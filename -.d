-: /tmp/integ/offs.c build/include/config.h \
 kernel/arch/x86_64/include/asm_offsets.h kernel/include/bundle_check.h \
 kernel/include/abi/bundle.h kernel/include/abi/abi.h \
 kernel/include/abi/errors.def kernel/include/abi/rights.def \
 kernel/include/abi/objects.def kernel/include/abi/syscalls.def \
 kernel/include/abi/faults.def kernel/include/types.h \
 kernel/include/frame.h kernel/include/arch.h \
 kernel/include/abi/inspect.h kernel/include/abi/message.h \
 kernel/arch/x86_64/include/arch_inline.h kernel/include/cpu.h \
 kernel/include/timer.h kernel/include/link.h kernel/include/port.h \
 kernel/include/event.h kernel/include/object.h \
 kernel/include/abi/objects.def kernel/include/thread.h \
 kernel/include/sched.h kernel/include/unit.h kernel/include/capability.h \
 kernel/include/enabled.h kernel/include/syscall.h \
 kernel/include/abi/syscalls.def
build/include/config.h:
kernel/arch/x86_64/include/asm_offsets.h:
kernel/include/bundle_check.h:
kernel/include/abi/bundle.h:
kernel/include/abi/abi.h:
kernel/include/abi/errors.def:
kernel/include/abi/rights.def:
kernel/include/abi/objects.def:
kernel/include/abi/syscalls.def:
kernel/include/abi/faults.def:
kernel/include/types.h:
kernel/include/frame.h:
kernel/include/arch.h:
kernel/include/abi/inspect.h:
kernel/include/abi/message.h:
kernel/arch/x86_64/include/arch_inline.h:
kernel/include/cpu.h:
kernel/include/timer.h:
kernel/include/link.h:
kernel/include/port.h:
kernel/include/event.h:
kernel/include/object.h:
kernel/include/abi/objects.def:
kernel/include/thread.h:
kernel/include/sched.h:
kernel/include/unit.h:
kernel/include/capability.h:
kernel/include/enabled.h:
kernel/include/syscall.h:
kernel/include/abi/syscalls.def:
