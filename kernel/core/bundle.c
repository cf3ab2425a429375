/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bundle.c - checks the bundle before anything in it is used. Every number read from it is an allegation; arithmetic
 * on sizes and offsets is done so that it cannot wrap. No pointer of the result leads outside the file.
 */
#include <bundle_check.h>
#include <abi/hash.h>

#define FLAGS_KNOWN (TSS_SECTION_READ | TSS_SECTION_WRITE | TSS_SECTION_EXECUTE | TSS_SECTION_INIT)
#define SECTION_BYTES_MAX (1ull << 30)

static const char *check_header(const struct tss_bundle_header *header, uint64_t size)
{
	if (__builtin_memcmp(header->magic, TSS_BUNDLE_MAGIC, sizeof(header->magic)) != 0)
		return "is not a Tessera bundle";
	if (header->abi_version != TSS_ABI_VERSION)
		return "was built for another ABI version";
	if (header->size > size || header->size % PAGE_SIZE || header->reserved)
		return "has a damaged header";
	if (header->section_count == 0 || header->section_count > TSS_BUNDLE_SECTIONS_MAX ||
	    sizeof(*header) + header->section_count * sizeof(struct tss_bundle_section) > header->size)
		return "has a damaged section count";
	return NULL;
}

static const char *check_root(const struct bundle *bundle, const uint8_t *root)
{
	struct tss_bundle_header blank = *bundle->header;
	struct tss_hash hash;
	uint8_t computed[TSS_HASH_SIZE];
	__builtin_memset(blank.root_hash, 0, sizeof(blank.root_hash));
	tss_hash_start(&hash);
	tss_hash_add(&hash, &blank, sizeof(blank));
	tss_hash_add(&hash, bundle->sections, bundle->header->section_count * sizeof(*bundle->sections));
	tss_hash_finish(&hash, computed);
	if (!tss_hash_equal(computed, bundle->header->root_hash))
		return "does not match its own root hash";
	if (root && !tss_hash_equal(computed, root))
		return "does not match the root hash on the command line";
	return NULL;
}

static const char *check_section(const struct tss_bundle_section *section, uint64_t from, uint64_t size)
{
	const uint32_t writable_code = TSS_SECTION_WRITE | TSS_SECTION_EXECUTE;
	if (section->kind < TSS_SECTION_TABLE || section->kind > TSS_SECTION_DIRECTORY ||
	    section->flags & ~FLAGS_KNOWN || (section->flags & writable_code) == writable_code)
		return "has a section of an unknown kind or with forbidden rights";
	if (section->offset % PAGE_SIZE || section->offset < from || section->offset > size ||
	    section->size > size - section->offset)
		return "has a section outside the file, out of order or overlapping";
	if (section->memory_size % PAGE_SIZE || section->memory_size > SECTION_BYTES_MAX ||
	    (section->kind != TSS_SECTION_TABLE && section->memory_size < section->size))
		return "has a section with a damaged memory size";
	if (section->address % PAGE_SIZE || section->address > SECTION_BYTES_MAX ||
	    section->name[sizeof(section->name) - 1])
		return "has a section with a damaged address or name";
	return NULL;
}

static const char *check_sections(struct bundle *bundle, const char **name)
{
	uint64_t end = sizeof(*bundle->header) + bundle->header->section_count * sizeof(*bundle->sections);
	uint8_t computed[TSS_HASH_SIZE];
	for (uint32_t i = 0; i < bundle->header->section_count; i++) {
		const struct tss_bundle_section *section = &bundle->sections[i];
		const char *error = check_section(section, end, bundle->header->size);
		if (error)
			return error;
		*name = (const char *)section->name;
		end = section->offset + section->size;
		if (section->kind == TSS_SECTION_TABLE && bundle->table)
			return "has two init tables";
		if (section->kind == TSS_SECTION_TABLE)
			bundle->table = section;
		if (section->kind != TSS_SECTION_TABLE && !(section->flags & TSS_SECTION_INIT))
			continue;
		tss_hash(bundle->bytes + section->offset, section->size, computed);
		if (!tss_hash_equal(computed, section->hash))
			return "has a section that does not match its hash";
	}
	*name = NULL;
	return bundle->table ? NULL : "has no init table";
}

const struct tss_table_instance *bundle_init_instance(const struct bundle *bundle)
{
	return (const void *)(bundle->bytes + bundle->table->offset + sizeof(struct tss_table_header));
}

static const char *check_table(const struct bundle *bundle)
{
	const struct tss_table_header *table = (const void *)(bundle->bytes + bundle->table->offset);
	uint64_t size = bundle->table->size;
	if (size < sizeof(*table) || table->magic != TSS_TABLE_MAGIC)
		return "has a damaged init table";
	if (table->instance_count == 0 || size < sizeof(*table) + sizeof(struct tss_table_instance))
		return "has an init table without init";
	if (bundle_init_instance(bundle)->slots - 1 >= TSS_SLOTS_MAX)
		return "has an init table with a damaged number of slots";
	return NULL;
}

const char *bundle_check(const uint8_t *bytes, uint64_t size, const uint8_t *root, struct bundle *out,
			 const char **section)
{
	*section = NULL;
	*out = (struct bundle){.bytes = bytes, .size = size, .header = (const void *)bytes};
	if (size < sizeof(*out->header))
		return "is too small";
	out->sections = (const void *)(bytes + sizeof(*out->header));
	const char *error = check_header(out->header, size);
	if (!error)
		error = check_root(out, root);
	if (!error)
		error = check_sections(out, section);
	return error ? error : check_table(out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int bundle_root_option(const char *cmdline, uint8_t root[32])
{
	static const char option[] = "tessera.root=";
	size_t length = sizeof(option) - 1, i = 0;
	for (; *cmdline; cmdline++) {
		for (i = 0; i < length && cmdline[i] == option[i]; i++)
			;
		if (i == length)
			break;
	}
	if (!*cmdline)
		return 0;
	cmdline += length;
	for (i = 0; i < 64; i++) {
		int digit = hex_digit(cmdline[i]);
		if (digit < 0)
			return -1;
		root[i / 2] = (uint8_t)(i % 2 ? root[i / 2] << 4 | digit : digit);
	}
	return cmdline[64] == 0 || cmdline[64] == ' ' ? 1 : -1;
}
