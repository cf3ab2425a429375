/* SPDX-License-Identifier: BSD-2-Clause */
/* init.h - what init's files share: the table in the bundle, what was built of it, and the ways to say so. */
#pragma once
#include <tessera/table.h>
#include <tessera/supervision.h>
#include <tessera/tessera.h>

#define INSTANCES_MAX 256u
#define OBJECTS_MAX 3400u /* so many handles fit into a capability space beside what init has in the end */
#define GRANTS_MAX 8192u

/* Exit codes; the kernel panics with them. */
enum { EXIT_BUNDLE = 1, EXIT_TABLE = 2, EXIT_FAULT_PORT = 3, EXIT_WATCH = 4 };

/* A checked view of the bundle: everything these point at is in range. */
struct table {
	const uint8_t *bundle;
	uint64_t size;
	const struct tss_bundle_section *sections;
	uint32_t section_count;
	const struct tss_table_header *header;
	const struct tss_table_instance *instances;
	const struct tss_table_object *objects;
	const struct tss_table_grant *grants;
	const struct tss_table_guard *guards;
};

/* What has been built so far, by index. */
struct build {
	const struct table *table;
	cap_t handles[OBJECTS_MAX]; /* in init's own space, TSS_CAP_NULL: not there (any more) */
	cap_t units[INSTANCES_MAX]; /* likewise, of each instance's unit */
	bool absent[OBJECTS_MAX]; /* a device that this machine does not have: its slots stay empty */
	uint64_t moved[INSTANCES_MAX]; /* by how much its layout moves */
	bool failed[INSTANCES_MAX]; /* this instance does not start */
	bool sealed; /* units are sealed, and init's own is to be */
	uint8_t sections[TSS_BUNDLE_SECTIONS_MAX]; /* SECTION_* */
};
enum { SECTION_UNCHECKED, SECTION_GOOD, SECTION_BAD };

/* table.c: false if anything in bundle or table is not as bundle.h says. */
bool table_read(struct table *table, const void *bundle, uint64_t size);
bool table_check(const struct table *table);

/* section.c: is the section what its hash says? Asked again, it remembers. */
bool section_good(struct build *build, uint32_t section);

/* firmware.c: devices that only the firmware can place; a handle of TSS_CAP_NULL: this machine has no such thing. */
void firmware_read(void);
tss_status_t firmware_memory(const struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle);
tss_status_t firmware_ioport(const struct build *build, const struct tss_table_object *o, uint64_t *handle);

/* build.c */
void build_units(struct build *build);
void build_objects(struct build *build);

/* modes.c */
void set_modes(struct build *build); /* before anything is shared or granted */

/* place.c */
tss_status_t place_later(const struct build *build, const struct tss_table_object *o, cap_t sched);
void place(const struct build *build); /* from here on instances may run */

/* grant.c */
void grant_copies(struct build *build);
enum originals { ORIGINALS_MEMORY, ORIGINALS_OTHERS, ORIGINALS_UNITS };
void grant_originals(struct build *build, enum originals which);
void map_memory(struct build *build);
void supervise(struct build *build);
/* calls.c */
void restrict_calls(struct build *build);
void start_threads(struct build *build);
void seal(struct build *build);
void end_failed(struct build *build);
void restrict_init(struct build *build); /* its own calls; then: */
void drop_authority(struct build *build);

/* say.c: a line for people. Lines wait until say_to names the log; after that they are sent, never blocking. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_to(cap_t log);

/* dump.c: prepared while originals are still here, printed when they are gone; nothing unless the table asks for it. */
void dump_prepare(const struct build *build);
void dump(void);

/* watch.c */
void watch_remember(const struct table *table);
_Noreturn void watch(cap_t port);

/* guard.c: restarts the supervisor, if the system has one. */
void guard_remember(const struct table *table);
void guard_heartbeat(void);
void guard_ended(uint64_t badge);
void guard_due(void);
uint64_t guard_wait(void); /* microseconds until guard_due has something to do, or TSS_INFINITE */

/* build.c: where what the plan puts at `address` lies in that instance. */
uint64_t placed(const struct build *build, uint32_t instance, uint64_t address);

/* The instance does not start, because of `what`. */
void build_fail(struct build *build, uint32_t instance, const char *what, tss_status_t status);

/* The one grant that is the object's original, or NULL. */
const struct tss_table_grant *table_original(const struct table *table, uint32_t object);
