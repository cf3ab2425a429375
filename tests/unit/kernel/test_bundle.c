// sources: kernel/core/bundle.c
// flags: -Ikernel/arch/x86_64/include
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_bundle.c - the kernel's bundle check: a sound bundle passes, each byte of header, section table and init table
 * flipped in turn is refused, and structural damage is refused even when every hash has been made to fit again.
 */
#include "check.h"
#include <abi/hash.h>
#include <bundle_check.h>
#include <string.h>

#define PAGES 5
#define SIZE (PAGES * PAGE_SIZE)

static uint8_t sound[SIZE], bytes[SIZE];

static struct tss_bundle_section *sections_of(uint8_t *bundle)
{
	return (void *)(bundle + sizeof(struct tss_bundle_header));
}

static void seal(uint8_t *bundle)
{
	struct tss_bundle_header *header = (void *)bundle;
	struct tss_bundle_section *sections = sections_of(bundle);
	for (uint32_t i = 0; i < 3; i++)
		if (sections[i].offset <= SIZE && sections[i].size <= SIZE - sections[i].offset)
			tss_hash(bundle + sections[i].offset, sections[i].size, sections[i].hash);
	struct tss_bundle_header blank = *header;
	struct tss_hash hash;
	memset(blank.root_hash, 0, sizeof(blank.root_hash));
	tss_hash_start(&hash);
	tss_hash_add(&hash, &blank, sizeof(blank));
	tss_hash_add(&hash, sections, 3 * sizeof(*sections));
	tss_hash_finish(&hash, header->root_hash);
}

static void make_sound(void)
{
	struct tss_bundle_header *header = (void *)sound;
	struct tss_bundle_section *sections = sections_of(sound);
	memcpy(header->magic, TSS_BUNDLE_MAGIC, 8);
	header->abi_version = TSS_ABI_VERSION;
	header->section_count = 3;
	header->size = SIZE;
	sections[0] = (struct tss_bundle_section){.kind = TSS_SECTION_TABLE, .offset = PAGE_SIZE, .name = "table"};
	sections[0].size = sizeof(struct tss_table_header) + sizeof(struct tss_table_instance);
	sections[1] =
		(struct tss_bundle_section){.kind = TSS_SECTION_SEGMENT, .offset = 2 * PAGE_SIZE, .name = "init.text"};
	sections[1].flags = TSS_SECTION_READ | TSS_SECTION_EXECUTE | TSS_SECTION_INIT;
	sections[1].size = 5000;
	sections[1].memory_size = 2 * PAGE_SIZE;
	sections[2] =
		(struct tss_bundle_section){.kind = TSS_SECTION_SEGMENT, .offset = 4 * PAGE_SIZE, .name = "a.text"};
	sections[2].flags = TSS_SECTION_READ;
	sections[2].size = 100;
	sections[2].memory_size = PAGE_SIZE;
	struct tss_table_header *table = (void *)(sound + PAGE_SIZE);
	table->magic = TSS_TABLE_MAGIC;
	table->instance_count = 1;
	((struct tss_table_instance *)(table + 1))->slots = TSS_SLOTS_MAX;
	for (unsigned i = 0; i < 5000; i++)
		sound[2 * PAGE_SIZE + i] = (uint8_t)(i * 7);
	seal(sound);
}

static const char *check(void)
{
	struct bundle bundle;
	const char *section;
	return bundle_check(bytes, SIZE, NULL, &bundle, &section);
}

static void flip_range(uint64_t from, uint64_t size)
{
	for (uint64_t i = from; i < from + size; i++) {
		memcpy(bytes, sound, SIZE);
		bytes[i] ^= (uint8_t)(1u << i % 8);
		CHECK(check() != NULL);
	}
}

static void test_flips(void)
{
	flip_range(0, sizeof(struct tss_bundle_header) + 3 * sizeof(struct tss_bundle_section));
	flip_range(PAGE_SIZE, sections_of(sound)[0].size);
	flip_range(2 * PAGE_SIZE, 5000);
}

#define REFUSED(change)                                                                                                \
	do {                                                                                                           \
		memcpy(bytes, sound, SIZE);                                                                            \
		struct tss_bundle_section *s = sections_of(bytes);                                                     \
		struct tss_table_header *table = (void *)(bytes + PAGE_SIZE);                                          \
		(void)s, (void)table;                                                                                  \
		change;                                                                                                \
		seal(bytes);                                                                                           \
		CHECK(check() != NULL);                                                                                \
	} while (0)

static void test_structure(void)
{
	REFUSED(s[1].offset = PAGE_SIZE);
	REFUSED(s[1].offset += 8);
	REFUSED(s[2].offset = ~0ull & ~PAGE_MASK);
	REFUSED(s[1].size = SIZE);
	REFUSED(s[1].size = ~0ull);
	REFUSED(s[1].memory_size = PAGE_SIZE);
	REFUSED(s[1].memory_size = 1ull << 40);
	REFUSED(s[1].flags |= TSS_SECTION_WRITE);
	REFUSED(s[1].flags |= 0x8000);
	REFUSED(s[1].kind = 9);
	REFUSED(s[1].kind = TSS_SECTION_TABLE);
	REFUSED(s[0].kind = TSS_SECTION_SEGMENT);
	REFUSED(s[1].address = 12);
	REFUSED(memset(s[1].name, 'x', 32));
	REFUSED(table->magic++);
	REFUSED(table->instance_count = 0);
	REFUSED(s[0].size--);
	REFUSED(((struct tss_table_instance *)(table + 1))->slots = 0);
	REFUSED(((struct tss_table_instance *)(table + 1))->slots++);
}

static void test_root(void)
{
	struct bundle bundle;
	const char *section;
	uint8_t root[32];
	memcpy(bytes, sound, SIZE);
	CHECK(check() == NULL);
	memcpy(root, ((struct tss_bundle_header *)(void *)sound)->root_hash, 32);
	CHECK(bundle_check(bytes, SIZE, root, &bundle, &section) == NULL);
	root[31] ^= 1;
	CHECK(bundle_check(bytes, SIZE, root, &bundle, &section) != NULL);
	for (uint64_t size = 0; size < SIZE; size += 61)
		CHECK(bundle_check(bytes, size, NULL, &bundle, &section) != NULL);
}

static void test_option(void)
{
	static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	char line[200];
	uint8_t root[32];
	snprintf(line, sizeof(line), "quiet tessera.root=%s x", hex);
	CHECK(bundle_root_option(line, root) == 1 && root[1] == 0x11 && root[31] == 0xff);
	CHECK(bundle_root_option("quiet", root) == 0);
	CHECK(bundle_root_option("tessera.root=", root) == -1);
	CHECK(bundle_root_option("tessera.root=0011", root) == -1);
	snprintf(line, sizeof(line), "tessera.root=%sff", hex);
	CHECK(bundle_root_option(line, root) == -1);
}

int main(void)
{
	make_sound();
	test_root();
	test_flips();
	test_structure();
	test_option();
	puts("ok bundle");
	return 0;
}
