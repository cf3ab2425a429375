/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_bundle.c - the kernel's check of the bundle and init's of the table in it, for libFuzzer under ASan and UBSan.
 *
 * The file lies in a block of exactly its size, so reading past it is seen. Each input is tried as it is; then all hashes
 * in it are made to fit, and it is tried again, because otherwise nothing gets past them. Whatever a check lets pass is
 * walked over as kernel and init would.
 *
 * An input that begins with 'E' is short for a larger file: header and section table, then the contents of the section
 * that is the table; the rest is zero.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <abi/hash.h>
#include <bundle_check.h>
#include "../../components/init/init.h"

#define FILE_MAX (64u * 1024u)
#define REQUIRE(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: passed although not %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(const void *from, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		sink ^= ((const uint8_t *)from)[i];
}

static struct tss_bundle_section *sections_of(uint8_t *bytes)
{
	return (struct tss_bundle_section *)(bytes + sizeof(struct tss_bundle_header));
}

/* As many sections as the header says and the file has room for. */
static uint32_t section_count(const struct tss_bundle_header *header, size_t size)
{
	size_t room = (size - sizeof(*header)) / sizeof(struct tss_bundle_section);
	return header->section_count < room ? header->section_count : (uint32_t)room;
}

/* What a short input stands for; NULL: nothing. */
static uint8_t *expand(const uint8_t *data, size_t size, size_t *out)
{
	struct tss_bundle_header header;
	if (size < sizeof(header))
		return NULL;
	memcpy(&header, data, sizeof(header));
	size_t file = header.size < FILE_MAX ? header.size : FILE_MAX;
	if (file < size)
		return NULL;
	uint8_t *bytes = calloc(1, file);
	uint32_t count = section_count(&header, size);
	size_t head = sizeof(header) + count * sizeof(struct tss_bundle_section);
	memcpy(bytes, data, head);
	for (uint32_t i = 0; i < count; i++) {
		const struct tss_bundle_section *s = &sections_of(bytes)[i];
		if (s->kind == TSS_SECTION_TABLE && s->offset >= head && s->offset < file)
			memcpy(bytes + s->offset, data + head,
			       size - head < file - s->offset ? size - head : file - s->offset);
	}
	*out = file;
	return bytes;
}

/* Every hash is right, whatever it is a hash of. */
static void rehash(uint8_t *bytes, size_t size)
{
	struct tss_bundle_header *header = (void *)bytes, blank;
	struct tss_bundle_section *sections = sections_of(bytes);
	struct tss_hash hash;
	uint32_t count = section_count(header, size);
	if (header->size > size || sizeof(*header) + (uint64_t)count * sizeof(*sections) > size)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (sections[i].offset <= size && sections[i].size <= size - sections[i].offset)
			tss_hash(bytes + sections[i].offset, sections[i].size, sections[i].hash);
	blank = *header;
	memset(blank.root_hash, 0, sizeof(blank.root_hash));
	tss_hash_start(&hash);
	tss_hash_add(&hash, &blank, sizeof(blank));
	tss_hash_add(&hash, sections, count * sizeof(*sections));
	tss_hash_finish(&hash, header->root_hash);
}

static void follow_bundle(const struct bundle *bundle)
{
	for (uint32_t i = 0; i < bundle->header->section_count; i++) {
		const struct tss_bundle_section *s = &bundle->sections[i];
		REQUIRE(s->offset <= bundle->size && s->size <= bundle->size - s->offset);
		REQUIRE(!(s->flags & TSS_SECTION_WRITE && s->flags & TSS_SECTION_EXECUTE));
		touch(bundle->bytes + s->offset, s->size);
		REQUIRE(memchr(s->name, 0, sizeof(s->name)) != NULL);
	}
	touch(bundle_init_instance(bundle), sizeof(struct tss_table_instance));
}

static void follow_table(const struct table *t)
{
	touch(t->instances, t->header->instance_count * sizeof(*t->instances));
	for (uint32_t i = 0; i < t->header->instance_count; i++) {
		uint32_t monitor = t->instances[i].monitor;
		REQUIRE(monitor == TSS_NO_OBJECT ||
			(monitor < t->header->object_count && t->objects[monitor].type == TSS_TYPE_CONNECTION));
	}
	for (uint32_t i = 0; i < t->header->object_count; i++) {
		const struct tss_table_object *o = &t->objects[i];
		REQUIRE(o->payer < t->header->instance_count && o->type < TSS_TYPE_COUNT);
		if (o->type == TSS_TYPE_REPLY || o->type == TSS_TYPE_CONNECTION)
			REQUIRE(o->a < i && t->objects[o->a].type == TSS_TYPE_PORT);
		if (o->type == TSS_TYPE_MEMORY && (o->a == TSS_MEMORY_MAPPED || o->a == TSS_MEMORY_COPIED)) {
			REQUIRE(o->b < t->section_count);
			touch(t->bundle + t->sections[o->b].offset, t->sections[o->b].size);
		}
		for (uint64_t n = 0; o->type == TSS_TYPE_MEMORY && o->a == TSS_MEMORY_SECTIONS && n < o->c; n++) {
			REQUIRE(o->b + n < t->section_count);
			touch(t->bundle + t->sections[o->b + n].offset, t->sections[o->b + n].size);
		}
		REQUIRE(table_original(t, i) != NULL);
	}
	for (uint32_t i = 0; i < t->header->grant_count; i++) {
		const struct tss_table_grant *g = &t->grants[i];
		REQUIRE(g->instance < t->header->instance_count && g->object < t->header->object_count);
		REQUIRE(g->slot < t->instances[g->instance].slots && g->slot < TSS_SLOTS_MAX);
	}
}

static void try(const uint8_t *bytes, size_t size)
{
	struct bundle bundle;
	struct table table;
	const char *section;
	if (bundle_check(bytes, size, NULL, &bundle, &section) == NULL)
		follow_bundle(&bundle);
	if (table_read(&table, bytes, size) && table_check(&table))
		follow_table(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = NULL;
	if (size > 0 && data[0] == 'E') {
		bytes = expand(data + 1, size - 1, &size);
	} else if (size > 0) {
		bytes = malloc(size);
		memcpy(bytes, data, size);
	}
	if (bytes != NULL) {
		try(bytes, size);
		if (size >= sizeof(struct tss_bundle_header))
			rehash(bytes, size);
		try(bytes, size);
	}
	free(bytes);
	return 0;
}
