/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c - vsnprintf: one conversion at a time into a bounded buffer; see stdio.h for what it knows. */
#include <stdbool.h>
#include <stdint.h>
#include <tessera/stdio.h>
#include <tessera/string.h>

struct output {
	char *to;
	size_t size, length; /* length counts on past size */
};

struct conversion {
	bool left, zero, plus, alternate;
	int width, precision; /* precision -1: none given */
	int bits; /* of an integer argument: 8 16 32 64 */
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void put_times(struct output *out, char c, int times)
{
	while (times-- > 0)
		put(out, c);
}

/* Prints prefix, then `zeros` zeros, then text, padded to the width. */
static void put_field(struct output *out, const struct conversion *c, const char *prefix, int zeros, const char *text,
		      size_t size)
{
	int length = (int)strlen(prefix) + zeros + (int)size;
	if (!c->left)
		put_times(out, ' ', c->width - length);
	while (*prefix)
		put(out, *prefix++);
	put_times(out, '0', zeros);
	for (size_t i = 0; i < size; i++)
		put(out, text[i]);
	if (c->left)
		put_times(out, ' ', c->width - length);
}

static void put_number(struct output *out, const struct conversion *c, uint64_t value, unsigned base, bool upper,
		       const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20];
	size_t at = sizeof(text);
	for (uint64_t rest = value; rest != 0; rest /= base)
		text[--at] = digits[rest % base];
	int size = (int)(sizeof(text) - at), least = c->precision >= 0 ? c->precision : 1;
	if (c->precision < 0 && c->zero && !c->left)
		least = c->width - (int)strlen(prefix);
	if (least < 1 && c->precision != 0)
		least = 1;
	put_field(out, c, prefix, least > size ? least - size : 0, text + at, (size_t)size);
}

static int parse_number(const char **format, va_list *arguments)
{
	int n = 0;
	if (**format == '*') {
		(*format)++;
		return va_arg(*arguments, int);
	}
	while (**format >= '0' && **format <= '9' && n < 10000)
		n = n * 10 + (*(*format)++ - '0');
	return n;
}

static void parse_flags(const char **format, struct conversion *c)
{
	for (;; (*format)++) {
		switch (**format) {
		case '-':
			c->left = true;
			break;
		case '0':
			c->zero = true;
			break;
		case '+':
			c->plus = true;
			break;
		case '#':
			c->alternate = true;
			break;
		default:
			return;
		}
	}
}

static int parse_length(const char **format)
{
	int bits = 32;
	for (;; (*format)++) {
		if (**format == 'l' || **format == 'z' || **format == 'j' || **format == 't')
			bits = 64;
		else if (**format == 'h')
			bits /= 2;
		else
			return bits;
	}
}

static struct conversion parse(const char **format, va_list *arguments)
{
	struct conversion c = {.precision = -1};
	parse_flags(format, &c);
	c.width = parse_number(format, arguments);
	if (c.width < 0) {
		c.left = true;
		c.width = -c.width;
	}
	if (**format == '.') {
		(*format)++;
		c.precision = parse_number(format, arguments);
	}
	c.bits = parse_length(format);
	return c;
}

static uint64_t take_unsigned(const struct conversion *c, va_list *arguments)
{
	if (c->bits == 64)
		return va_arg(*arguments, uint64_t);
	unsigned value = va_arg(*arguments, unsigned);
	return c->bits == 32 ? value : value & ((1u << c->bits) - 1);
}

static int64_t take_signed(const struct conversion *c, va_list *arguments)
{
	if (c->bits == 64)
		return va_arg(*arguments, int64_t);
	int value = va_arg(*arguments, int);
	return c->bits == 32 ? value : c->bits == 16 ? (int16_t)value : (int8_t)value;
}

static void put_signed(struct output *out, const struct conversion *c, int64_t value)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	put_number(out, c, magnitude, 10, false, value < 0 ? "-" : c->plus ? "+" : "");
}

static void put_string(struct output *out, const struct conversion *c, const char *text)
{
	if (text == NULL)
		text = "(null)";
	put_field(out, c, "", 0, text, strnlen(text, c->precision >= 0 ? (size_t)c->precision : SIZE_MAX));
}

/* `format` points at the conversion letter. */
static void convert(struct output *out, const struct conversion *c, const char *format, va_list *arguments)
{
	char letter = *format;
	switch (letter) {
	case 'd':
	case 'i':
		put_signed(out, c, take_signed(c, arguments));
		break;
	case 'u':
		put_number(out, c, take_unsigned(c, arguments), 10, false, "");
		break;
	case 'x':
	case 'X':
		put_number(out, c, take_unsigned(c, arguments), 16, letter == 'X', c->alternate ? "0x" : "");
		break;
	case 'p':
		put_number(out, c, (uintptr_t)va_arg(*arguments, void *), 16, false, "0x");
		break;
	case 's':
		put_string(out, c, va_arg(*arguments, const char *));
		break;
	case 'c':
		put_field(out, c, "", 0, &(char){(char)va_arg(*arguments, int)}, 1);
		break;
	case '%':
		put(out, '%');
		break;
	default:
		put(out, '%');
		put(out, letter);
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	struct output out = {to, size, 0};
	va_list rest;
	va_copy(rest, arguments);
	for (; *format; format++) {
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format++;
		struct conversion c = parse(&format, &rest);
		if (*format == '\0')
			break;
		convert(&out, &c, format, &rest);
	}
	va_end(rest);
	if (size > 0)
		to[out.length < size ? out.length : size - 1] = '\0';
	return (int)out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	return length;
}
