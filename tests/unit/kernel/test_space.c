// sources: kernel/mm/frame.c kernel/mm/slab.c kernel/obj/object.c tests/unit/kernel/ends.c
// flags: -Ikernel/arch/x86_64/include -D_GNU_SOURCE -O0 -fno-sanitize=all -Wno-unused-parameter
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_space.c - address spaces against a model of translations that CPUs keep: the kernel's own MOV CR3 and INVLPG
 * fault here and change the model. Spaces are made, run on CPUs, mapped, unmapped, moved and destroyed at random; no CPU
 * may ever use a translation that its space does not have, neither where a page lies nor where it lay. With PCIDs, with too few of them, and without.
 */
#include "../../../kernel/arch/x86_64/space.c"
#include "host.h"
#include <signal.h>
#include <string.h>
#include <thread.h>
#include <ucontext.h>

#define MODEL_CPUS 3
#define SPACES 5
#define PAGES 4
#define STEPS 60000
#define PLACES 3
#define REALS (PLACES * PAGES) /* addresses that a CPU may have translated */
#define AT(page) ((uaddr_t){600 * HUGE_SIZE + 0x400000 + (uint64_t)(page)*PAGE_SIZE}) /* as the kernel names it */

struct arch_space kernel_space;
static struct unit unit;
static struct arch_space spaces[SPACES];
static bool live[SPACES], pcids;
static uint64_t cr3[MODEL_CPUS], kept[MODEL_CPUS][PCIDS][REALS]; /* entries, 0: none */
static unsigned hits, walks;

static const uint64_t places[PLACES] = {600, 1001, 40000}; /* the second of the same 512 GiB as the first */

static uint64_t real_at(unsigned real)
{
	return places[real / PAGES] * HUGE_SIZE + AT(real % PAGES).raw % HUGE_SIZE;
}

bool feature_active(enum feature feature)
{
	return feature == FEATURE_PCID && pcids;
}

void *mmu_table_alloc(struct unit *payer)
{
	return frame_alloc(payer);
}

static void be(const struct cpu *cpu)
{
	CHECK(syscall(SYS_arch_prctl, HOST_SET_GS, cpu) == 0);
}

void cpu_ask(struct cpu *cpu, void (*asked)(struct cpu *cpu, void *argument), void *argument)
{
	struct cpu *self = cpu_this();
	be(cpu);
	asked(cpu, argument);
	be(self);
}

/* SDM vol. 2, MOV to control registers; vol. 3, 4.10.4.1. */
static void load_cr3(uint64_t value)
{
	unsigned cpu = cpu_this()->index;
	CHECK(pcids || !(value & (CR3_KEEP | PAGE_MASK)));
	if (!pcids)
		memset(kept[cpu], 0, sizeof(kept[cpu]));
	else if (!(value & CR3_KEEP))
		memset(kept[cpu][value % PCIDS], 0, sizeof(kept[cpu][0]));
	cr3[cpu] = value & ~CR3_KEEP;
}

static void invalidate(uint64_t address)
{
	unsigned cpu = cpu_this()->index;
	for (unsigned real = 0; real < REALS; real++)
		if (real_at(real) == address)
			kept[cpu][cr3[cpu] % PCIDS][real] = 0;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
				    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *at = (const uint8_t *)registers[REG_RIP];
	unsigned rex = (*at & 0xf0) == 0x40 ? *at++ : 0;
	uint64_t value = (uint64_t)registers[order[(at[2] & 7) + 8 * (rex & 1)]];
	(void)signal, (void)info;
	if (at[0] == 0x0f && at[1] == 0x22 && (at[2] >> 3 & 7) == 3)
		load_cr3(value);
	else if (at[0] == 0x0f && at[1] == 0x01 && (at[2] >> 3 & 7) == 7 && at[2] >> 6 == 0)
		invalidate(value);
	else
		abort();
	registers[REG_RIP] = (greg_t)(at + 3 + ((at[2] >> 6 == 0 && (at[2] & 7) == 4)));
}

static uint64_t mapped(const struct arch_space *space, unsigned page)
{
	const uint64_t *entry = mapped_entry(space, AT(page));
	return entry ? *entry : 0;
}

/* What the CPU finds there itself. */
static uint64_t walked(const struct arch_space *space, unsigned real)
{
	const uint64_t *entry = mmu_entry(space->root, real_at(real), 1, 0, NULL);
	return entry ? *entry : 0;
}

/* A thread of the space runs on this CPU and touches a page. */
static void touch(struct arch_space *space, unsigned real)
{
	struct cpu *cpu = cpu_this();
	space->cpus |= 1ull << cpu->index;
	arch_space_activate(cpu, (paddr_t){space->cr3});
	CHECK((cr3[cpu->index] & PTE_ADDRESS) == space->root.raw);
	uint64_t *entry = &kept[cpu->index][cr3[cpu->index] % PCIDS][real];
	hits += *entry != 0;
	walks += *entry == 0;
	if (*entry == 0)
		*entry = walked(space, real);
	CHECK(*entry == walked(space, real));
}

/* It has ended; whoever brings it back runs here. All its pages are at the new place and nowhere else. */
static void move(struct arch_space *space, unsigned to)
{
	uint64_t before[PAGES], any = 0;
	for (unsigned page = 0; page < PAGES; page++)
		any |= before[page] = mapped(space, page);
	arch_space_activate(cpu_this(), kernel_space.root);
	arch_space_move(space, AT(0).raw, places[to]);
	for (unsigned real = 0; any && real < REALS; real++)
		CHECK(walked(space, real) == (real / PAGES == to ? before[real % PAGES] : 0));
	for (unsigned page = 0; page < PAGES; page++)
		CHECK(mapped(space, page) == before[page]);
}

static void space_end(struct arch_space *space)
{
	unsigned left, slices = 0;
	do
		left = 1;
	while (!arch_space_shrink(space, &unit, &left) && slices++ < 1000);
	CHECK(slices < 1000);
	arch_space_destroy(space, &unit);
}

static void step(void)
{
	struct arch_space *space = &spaces[(unsigned)rand() % SPACES];
	bool *exists = &live[space - spaces];
	unsigned page = (unsigned)rand() % PAGES, what = (unsigned)rand() % 100;
	be(&cpus[(unsigned)rand() % MODEL_CPUS]);
	if (!*exists) {
		CHECK(arch_space_create(space, &unit) == TSS_OK);
		*exists = true;
	} else if (what < 66) {
		touch(space, (unsigned)rand() % REALS);
	} else if (what < 70) {
		move(space, (unsigned)rand() % PLACES);
	} else if (what < 84) {
		paddr_t frame = {0x10000000 + (uint64_t)rand() % 64 * PAGE_SIZE};
		bool taken = mapped(space, page) != 0;
		CHECK(arch_space_map(space, &unit, AT(page), frame, TSS_RIGHT_READ, false) ==
		      (taken ? ERR(OCCUPIED, 0) : TSS_OK));
	} else if (what < 98) {
		(void)arch_space_unmap(space, AT(page));
		(void)arch_space_unmap(space, AT(rand() % PAGES));
		arch_space_flush(space);
	} else {
		space_end(space);
		*exists = false;
	}
}

/* `free`: how many PCIDs there are. Returns how many translations were found in the TLB. */
static unsigned run(bool has_pcids, unsigned free)
{
	pcids = has_pcids;
	hits = walks = 0;
	memset(kept, 0, sizeof(kept));
	memset(pcids_taken, 0xff, sizeof(pcids_taken));
	for (unsigned i = 0; i < free; i++)
		pcids_taken[7 * i] &= ~(2ull << i);
	for (unsigned i = 0; i < MODEL_CPUS; i++)
		cpus[i].space_root = cr3[i] = kernel_space.root.raw;
	for (unsigned i = 0; i < STEPS; i++)
		step();
	be(&cpus[0]);
	for (unsigned i = 0; i < SPACES; i++)
		if (live[i])
			space_end(&spaces[i]);
	memset(live, 0, sizeof(live));
	for (unsigned i = 0; i < MODEL_CPUS; i++)
		CHECK(cpus[i].space_root == kernel_space.root.raw || cr3[i] == kernel_space.root.raw);
	return hits;
}

int main(void)
{
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	sigaction(SIGSEGV, &fault, NULL);
	host_memory_init();
	frame_init();
	host_unit_init(&unit, 300);
	cpu_count = MODEL_CPUS;
	for (unsigned i = 0; i < MODEL_CPUS; i++)
		cpus[i].self = &cpus[i], cpus[i].index = i;
	kernel_space.root = virt_to_phys(frame_alloc(&unit));
	uint64_t used = unit.used;
	unsigned without = run(false, 0), few = run(true, 2), enough = run(true, SPACES);
	CHECK(without < few && few < enough);
	CHECK(unit.used == used);
	printf("ok: %u, %u and %u translations were still there\n", without, few, enough);
	return 0;
}
