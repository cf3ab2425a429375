/* SPDX-License-Identifier: BSD-2-Clause */
/* format.c - the few printf conversions the kernel prints with. No allocation, bounded output. */
#include <log.h>

struct output {
	char *text;
	size_t size, used;
};

static void put(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->text[out->used++] = c;
}

static void put_string(struct output *out, const char *text, size_t limit)
{
	while (limit-- && *text)
		put(out, *text++);
}

static void put_number(struct output *out, uint64_t value, unsigned base)
{
	char text[sizeof("18446744073709551615")] = {0};
	size_t at = sizeof(text) - 1;
	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_string(out, text + at, sizeof(text));
}

/* `at` is behind the %; returns where the conversion's letter is, or the end of a text that has none. */
static const char *put_conversion(struct output *out, const char *at, va_list *arguments)
{
	size_t precision = SIZE_MAX;
	if (*at == '#') {
		put_string(out, "0x", 2);
		at++;
	}
	if (*at == '.')
		for (at++, precision = 0; *at >= '0' && *at <= '9'; at++)
			precision = precision * 10 + (size_t)(*at - '0');
	bool is_long = *at == 'l';
	at += is_long;
	if (*at == 's')
		put_string(out, va_arg(*arguments, const char *), precision);
	else if (*at == 'u' || *at == 'x')
		put_number(out, is_long ? va_arg(*arguments, uint64_t) : va_arg(*arguments, unsigned),
			   *at == 'u' ? 10 : 16);
	else if (*at)
		put(out, *at);
	return at;
}

size_t format_text(char *text, size_t size, const char *format, va_list arguments)
{
	struct output out = {text, size, 0};
	va_list copy;
	va_copy(copy, arguments);
	for (; *format; format++) {
		if (*format != '%')
			put(&out, *format);
		else if (!*(format = put_conversion(&out, format + 1, &copy)))
			break;
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
