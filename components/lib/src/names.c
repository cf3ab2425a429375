/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - texts for the numbers of the ABI's tables, from those tables. */
#include <tessera/tessera.h>

const char *tss_error_name(tss_status_t status)
{
	if (status >> 16 != 0)
		return "INTERFACE";
	switch (TSS_CODE(status)) {
#define ERROR(code, name, text)                                                                                        \
	case code:                                                                                                     \
		return #name;
#include <abi/errors.def>
#undef ERROR
	}
	return "?";
}

const char *tss_type_name(unsigned type)
{
	switch (type) {
#define OBJECT(number, name, lower, rights, text)                                                                      \
	case number:                                                                                                   \
		return #lower;
#include <abi/objects.def>
#undef OBJECT
	}
	return "?";
}

const char *tss_fault_name(unsigned kind)
{
	switch (kind) {
#define FAULT(number, name, text)                                                                                      \
	case number:                                                                                                   \
		return #name;
#include <abi/faults.def>
#undef FAULT
	}
	return "?";
}

const char *tss_rights_text(unsigned rights, char to[TSS_RIGHTS_TEXT])
{
	static const struct {
		uint8_t bit;
		char letter;
	} letters[] = {
#define RIGHT(bit, name, letter, text) {bit, letter},
#include <abi/rights.def>
#undef RIGHT
	};
	char *p = to;
	for (unsigned i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (rights & 1u << letters[i].bit)
			*p++ = letters[i].letter;
	if (p == to)
		*p++ = '-';
	*p = '\0';
	return to;
}
