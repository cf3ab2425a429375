/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipc.h - the five MESSAGE system calls of message.h as inline functions, and what a request looks like.
 *
 * Everything here is static inline and small on purpose: a message of up to 32 bytes goes from the caller's
 * registers into the receiver's without touching memory. Longer messages and capabilities use the IPC page
 * (tss_ipc()): bytes 32.. are written to send[4] before a call and found in recv[4] after it. What lies in recv[] is
 * good until the next system call of this file.
 */
#pragma once
#include <stddef.h>
#include <abi/message.h>
#include <tessera/call.h>
#include <tessera/string.h>
#include <tessera/syscalls.h>

#define TSS_INLINE static inline __attribute__((always_inline, unused))

#define TSS_UNLIKELY(condition) __builtin_expect((condition), 0)

/* Beside the kernel's codes (code | argument << 8), a stub or an operation returns one of these. */
#define TSS_INTERFACE_ERROR(n) (0x10000ull | (n)) /* the interface's own error n, or a TSS_REPLY_* */
#define TSS_IS_INTERFACE_ERROR(status) ((status) >> 16 == 1)
#define TSS_DEFER 0x20000ull /* operation: no reply now; it kept request->reply and answers later */

/* Reply types that every dispatcher may send; interfaces number their own errors from 1 to 0xefff. */
#define TSS_REPLY_METHOD 0xf001u /* the server does not know this method */
#define TSS_REPLY_FORMAT 0xf002u /* lengths, numbers or capabilities are not what the method takes */
#define TSS_REPLY_FAILED 0xf003u /* the server tried and a system call of its own failed */

/* A received message: a request (reply != 0), a one-way message or an event (reply == 0). */
struct tss_request {
	uint64_t badge;
	tss_tag_t tag;
	cap_t reply;
	uint64_t words[TSS_MESSAGE_REGISTERS];
};

#ifndef TSS_IPC_HOST /* host tests of generated code bring their own tss_ipc and TSS_MESSAGE_SYSCALL */
/* The IPC page of this thread; its address never changes, so the compiler may keep it. */
TSS_INLINE struct tss_ipc_page *tss_ipc(void)
{
	struct tss_ipc_page *page;
	asm("mov %%gs:0, %0" : "=r"(page));
	return page;
}

/* Safety: the register sets below are the table of message.h; every register that the kernel changes is an output. */
#define TSS_MESSAGE_SYSCALL(number_, a1, a2, a3, w)                                                                    \
	uint64_t rax = (number_), rdi = (a1), rsi = (a2), rdx = (a3), rbx = (w)[3];                                    \
	register uint64_t r10 asm("r10") = (w)[0];                                                                     \
	register uint64_t r8 asm("r8") = (w)[1];                                                                       \
	register uint64_t r9 asm("r9") = (w)[2];                                                                       \
	asm volatile(TSS_SYSCALL_MARKED                                                                                \
		     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(r10), "+r"(r8), "+r"(r9)            \
		     : [call] "i"(number_)                                                                             \
		     : "rcx", "r11", "memory")
#endif

/* Calls `connection`; tag and words are the request before and the reply after. Blocks for up to timeout_us. */
TSS_INLINE tss_status_t tss_connection_call(cap_t connection, tss_tag_t *tag, uint64_t w[4], uint64_t timeout_us)
{
	TSS_MESSAGE_SYSCALL(TSS_SYS_connection_call, connection, *tag, timeout_us, w);
	*tag = rsi;
	w[0] = r10;
	w[1] = r8;
	w[2] = r9;
	w[3] = rbx;
	return rax;
}

/* Puts a message into the queue behind `connection`. Never blocks; FULL if there is no place. */
TSS_INLINE tss_status_t tss_connection_send(cap_t connection, tss_tag_t tag, const uint64_t w[4])
{
	TSS_MESSAGE_SYSCALL(TSS_SYS_connection_send, connection, tag, 0, w);
	return rax;
}

/* Answers the caller behind `reply` (one-shot). Never blocks; GONE if the caller no longer waits. */
TSS_INLINE tss_status_t tss_reply_send(cap_t reply, tss_tag_t tag, const uint64_t w[4])
{
	TSS_MESSAGE_SYSCALL(TSS_SYS_reply_send, reply, tag, 0, w);
	return rax;
}

/*
 * Waits for the next message on `port` for up to timeout_us. TSS_RECEIVE_AGAIN: nothing could be received, since the first callers
 * in the queue were refused for what they gave; there may be others.
 */
#define TSS_RECEIVE_AGAIN TSS_STATUS(TSS_E_AGAIN, 0)
TSS_INLINE tss_status_t tss_port_receive(cap_t port, struct tss_request *request, uint64_t timeout_us)
{
	const uint64_t none[4] = {0, 0, 0, 0};
	TSS_MESSAGE_SYSCALL(TSS_SYS_port_receive, port, timeout_us, 0, none);
	*request = (struct tss_request){.badge = rdi, .tag = rsi, .reply = (cap_t)rdx, .words = {r10, r8, r9, rbx}};
	return rax;
}

/*
 * Answers request->reply (0: nobody) with request->tag and words, then waits for the next message and stores it
 * there. If the answer fails, it returns that error at once and has received nothing; after TIMEOUT and TSS_RECEIVE_AGAIN it
 * has been given.
 */
TSS_INLINE tss_status_t tss_port_reply_receive(cap_t port, struct tss_request *request, uint64_t timeout_us)
{
	uint64_t both = (uint64_t)port | (uint64_t)request->reply << 32;
	TSS_MESSAGE_SYSCALL(TSS_SYS_port_reply_receive, both, request->tag, timeout_us, request->words);
	*request = (struct tss_request){.badge = rdi, .tag = rsi, .reply = (cap_t)rdx, .words = {r10, r8, r9, rbx}};
	return rax;
}

/* Turns `request` into an error reply of type `error`; what a dispatcher and an operation's failure end in. */
TSS_INLINE tss_status_t tss_refuse(struct tss_request *request, uint32_t error)
{
	request->tag = TSS_TAG(error, 0, 0);
	return TSS_OK;
}

/* The reply type that tells a client what an operation returned. */
TSS_INLINE uint32_t tss_reply_type(tss_status_t status)
{
	if (status == TSS_OK)
		return 0;
	return TSS_IS_INTERFACE_ERROR(status) ? (uint32_t)(status & 0xffff) : TSS_REPLY_FAILED;
}

/* Bytes that a buffer of `size` bytes takes in a message. */
TSS_INLINE uint64_t tss_padded(uint64_t size)
{
	return (size + 7) & ~7ull;
}

/* The rest is what generated stubs and dispatchers are made of. */

/* Does not compile if `connection` is a slot on which component.yaml does not list the method (granted.h). */
#define TSS_MUST_BE_GRANTED(connection, number, text)                                                                  \
	((void)sizeof(struct {                                                                                         \
		_Static_assert(                                                                                        \
			TSS_SLOT_METHODS(__builtin_choose_expr(__builtin_constant_p(connection), connection, 0)) >>    \
				(number)&1,                                                                            \
			text);                                                                                         \
		int unused;                                                                                            \
	}))

/* What was written to a message as words is read as structs behind this, and the other way round. */
#define TSS_BARRIER() asm volatile("" : : : "memory")

/* memcpy() without the call: what lies in messages is mostly short, and mostly whole words. */
TSS_INLINE void tss_copy(void *to, const void *from, uint64_t size)
{
	uint64_t words = size / 8;
	/* Safety: the counts cover exactly [to, to + size) and [from, from + size). */
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	if (TSS_UNLIKELY((size & 7) != 0)) {
		size &= 7;
		asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	}
}

/* Zeroes what follows `size` bytes at offset `at` in their last word. Returns the offset after it. */
TSS_INLINE uint64_t tss_pad_bytes(uint64_t words[TSS_MESSAGE_WORDS], uint64_t at, uint64_t size)
{
	if (size % 8 != 0)
		words[(at + size) / 8] &= (1ull << size % 8 * 8) - 1;
	return at + tss_padded(size);
}

/* Puts `size` bytes at offset `at`, padded with zeros. Returns the offset after them. */
TSS_INLINE uint64_t tss_put_bytes(uint64_t words[TSS_MESSAGE_WORDS], uint64_t at, const void *from, uint64_t size)
{
	tss_copy((uint8_t *)words + at, from, size);
	return tss_pad_bytes(words, at, size);
}

/* Capabilities that came with a message nobody asked to carry any are dropped, or they would fill the slots. */
void tss_drop_capabilities(tss_tag_t tag) __attribute__((cold));

/* A request that is not what its method takes. */
TSS_INLINE tss_status_t tss_refuse_format(struct tss_request *request)
{
	if (TSS_TAG_CAPS(request->tag) != 0)
		tss_drop_capabilities(request->tag);
	return tss_refuse(request, TSS_REPLY_FORMAT);
}

/* What a reply means that is not the one a stub expects: the server's error, or nonsense. */
tss_status_t tss_reply_error(tss_tag_t tag) __attribute__((cold));
