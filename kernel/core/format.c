/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c - the few printf conversions the kernel prints with. No allocation, bounded output. */
#include <log.h>

#define NUMBER_MAX 64

struct output {
	char *text;
	size_t size, used;
};

struct conversion {
	bool zero, alternate, is_long;
	unsigned width;
	size_t precision;
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->text[out->used++] = c;
}

static void put_field(struct output *out, const char *text, size_t length, size_t width)
{
	for (size_t i = length; i < width; i++)
		put(out, ' ');
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
}

/* Made from its end. Digits of what is left when nothing is left are the padding by zeros, of up to NUMBER_MAX. */
static void put_number(struct output *out, uint64_t value, unsigned base, bool negative, const struct conversion *how)
{
	char text[NUMBER_MAX + 3];
	size_t at = sizeof(text), prefix = (negative ? 1u : 0u) + (how->alternate ? 2u : 0u);
	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || (how->zero && prefix + sizeof(text) - at < how->width && at > 3));
	if (how->alternate) {
		text[--at] = 'x';
		text[--at] = '0';
	}
	if (negative)
		text[--at] = '-';
	put_field(out, text + at, sizeof(text) - at, how->width);
}

static void put_string(struct output *out, const char *text, const struct conversion *how)
{
	size_t length = 0;
	while (length < how->precision && text[length])
		length++;
	put_field(out, text, length, how->width);
}

static const char *parse_conversion(const char *at, struct conversion *how)
{
	*how = (struct conversion){.precision = SIZE_MAX};
	for (; *at == '0' || *at == '#'; at++)
		*(*at == '0' ? &how->zero : &how->alternate) = true;
	for (; *at >= '0' && *at <= '9'; at++)
		how->width = how->width * 10 + (unsigned)(*at - '0');
	if (*at == '.')
		for (at++, how->precision = 0; *at >= '0' && *at <= '9'; at++)
			how->precision = how->precision * 10 + (size_t)(*at - '0');
	for (; *at == 'l' || *at == 'z'; at++)
		how->is_long = true;
	return at;
}

static void put_conversion(struct output *out, char kind, struct conversion *how, va_list *arguments)
{
	int64_t number;
	switch (kind) {
	case 'd':
		number = how->is_long ? va_arg(*arguments, int64_t) : va_arg(*arguments, int);
		return put_number(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 10, number < 0, how);
	case 'u':
	case 'x':
		return put_number(out, how->is_long ? va_arg(*arguments, uint64_t) : va_arg(*arguments, unsigned),
				  kind == 'u' ? 10 : 16, false, how);
	case 'p':
		how->alternate = true;
		return put_number(out, (uint64_t)va_arg(*arguments, void *), 16, false, how);
	case 's':
		return put_string(out, va_arg(*arguments, const char *), how);
	case 'c':
		return put(out, (char)va_arg(*arguments, int));
	default:
		return put(out, kind);
	}
}

size_t format_text(char *text, size_t size, const char *format, va_list arguments)
{
	struct output out = {text, size, 0};
	va_list copy;
	va_copy(copy, arguments);
	for (; *format; format++) {
		struct conversion how;
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format = parse_conversion(format + 1, &how);
		if (!*format)
			break;
		put_conversion(&out, *format, &how, &copy);
	}
	va_end(copy);
	if (size)
		text[out.used] = 0;
	return out.used;
}

size_t format_print(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	size_t used = format_text(text, size, format, arguments);
	va_end(arguments);
	return used;
}
