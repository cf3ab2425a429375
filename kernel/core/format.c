/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c - the few printf conversions the kernel prints with. No allocation, bounded output. */
#include <log.h>

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

static void put_padding(struct output *out, unsigned width, size_t length, char c)
{
	for (size_t i = length; i < width; i++)
		put(out, c);
}

static void put_number(struct output *out, uint64_t value, unsigned base, bool negative, const struct conversion *how)
{
	char digits[24];
	size_t count = 0;
	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	size_t length = count + (negative ? 1u : 0u) + (how->alternate ? 2u : 0u);
	if (!how->zero)
		put_padding(out, how->width, length, ' ');
	if (negative)
		put(out, '-');
	if (how->alternate) {
		put(out, '0');
		put(out, 'x');
	}
	if (how->zero)
		put_padding(out, how->width, length, '0');
	while (count)
		put(out, digits[--count]);
}

static void put_string(struct output *out, const char *text, const struct conversion *how)
{
	size_t length = 0;
	while (length < how->precision && text[length])
		length++;
	put_padding(out, how->width, length, ' ');
	for (size_t i = 0; i < length; i++)
		put(out, text[i]);
}

static const char *parse_conversion(const char *at, struct conversion *how)
{
	*how = (struct conversion){.precision = SIZE_MAX};
	for (;; at++) {
		if (*at == '0')
			how->zero = true;
		else if (*at == '#')
			how->alternate = true;
		else
			break;
	}
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
