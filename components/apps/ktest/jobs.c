/* SPDX-License-Identifier: BSD-2-Clause */
/* jobs.c - what workers usually do, and calls with all their registers in sight. */
#include "ktest.h"

void raw(struct registers *r)
{
	register uint64_t r10 asm("r10") = r->r10;
	register uint64_t r8 asm("r8") = r->r8;
	register uint64_t r9 asm("r9") = r->r9;
	/* Safety: every register a system call may change is an output. */
	asm volatile("syscall"
		     : "+a"(r->rax), "+D"(r->rdi), "+S"(r->rsi), "+d"(r->rdx), "+b"(r->rbx), "+r"(r10), "+r"(r8),
		       "+r"(r9)
		     :
		     : "rcx", "r11", "memory");
	r->r10 = r10;
	r->r8 = r8;
	r->r9 = r9;
}

uint64_t raw_call(uint64_t number, const uint64_t arguments[5], uint64_t *value)
{
	struct registers r = {.rax = number,
			      .rdi = arguments[0],
			      .rsi = arguments[1],
			      .rdx = arguments[2],
			      .r10 = arguments[3],
			      .r8 = arguments[4]};
	raw(&r);
	if (value)
		*value = r.rdx;
	return r.rax;
}

tss_status_t receive(cap_t port, struct tss_request *request, uint64_t timeout)
{
	return tss_port_receive(port, request, timeout);
}

void job_server(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	while (self->got[0] < self->b) {
		self->status = tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
		if (self->status != TSS_OK)
			return;
		for (unsigned i = TSS_MESSAGE_REGISTERS; i < TSS_MESSAGE_WORDS; i++)
			tss_ipc()->send[i] = tss_ipc()->recv[i];
		self->got[0]++;
		self->got[1] = request.badge;
		if (self->c)
			mark((char)request.words[0]);
	}
	if (request.reply)
		self->status = tss_reply_send(request.reply, request.tag, request.words);
}

void job_caller(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 32, 0);
	uint64_t words[4] = {self->c, self->d, 0, 0};
	self->status = tss_connection_call((cap_t)self->a, &tag, words, self->b);
	self->got[0] = tag;
	for (unsigned i = 0; i < 4; i++)
		self->got[1 + i] = words[i];
}

void job_spin(struct worker *self)
{
	for (uint64_t end = now() + self->a; now() < end && !stop_spinning;)
		self->got[0]++;
}

void job_sleep(struct worker *self)
{
	self->status = tss_self_sleep(self->a);
}

void job_exit(struct worker *self)
{
	(void)tss_self_exit(self->a);
}
