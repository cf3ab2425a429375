/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.c - a port's asynchronous queue in memory of the one who receives there (abi/mailbox.h).
 *
 * The port's messages stay the books: one that is `held` stands for an entry that the owner has not given back, with the
 * sender whose credit it uses; `spare` are the others. free_messages is empty meanwhile, which is how sending comes here.
 * Nothing that lies in the memory is believed, so its owner can only lose messages, his own.
 */
#include <memory.h>
#include <message_copy.h>
#include <syscall.h>

#define MAILBOX_RETIRE 4u /* entries that one message gives back at most */

static void *mailbox_page(const struct port *port, uint64_t page)
{
	return phys_to_virt(memory_frame(port->mailbox, page));
}

static struct tss_mailbox_entry *mailbox_place(const struct port *port, uint64_t number)
{
	uint64_t at = number % port->depth;
	struct tss_mailbox_entry *page = mailbox_page(port, 1 + at / TSS_MAILBOX_PER_PAGE);
	return &page[at % TSS_MAILBOX_PER_PAGE];
}

static void mailbox_release(struct port *port, struct message *message)
{
	link_remove(&message->link);
	link_append(&port->spare, &message->link);
	if (message->sender)
		message->sender->queued--;
}

static void mailbox_retire(struct port *port)
{
	const struct tss_mailbox *shared = mailbox_page(port, 0);
	uint64_t done = __atomic_load_n(&shared->head, __ATOMIC_ACQUIRE) - port->retired;
	if (done > port->posted - port->retired)
		return;
	/*@ loop invariant done <= port->posted - port->retired == entries_held && port->retired <= port->posted;
	    loop invariant left <= MAILBOX_RETIRE && port->retired + left == \at(port->retired, Pre) + MAILBOX_RETIRE;
	    loop assigns done, left, port->retired, entries_held;
	    loop variant left; */
	for (unsigned left = MAILBOX_RETIRE; done && left; done--, left--, port->retired++)
		mailbox_release(port, LINK_FIRST(&port->held, struct message, link));
}

bool mailbox_put(struct port *port, const struct mailbox_letter *letter)
{
	struct tss_mailbox *shared = mailbox_page(port, 0);
	struct tss_mailbox_entry *entry = mailbox_place(port, port->posted);
	struct connection *sender = letter->sender;
	mailbox_retire(port);
	struct message *message =
		port->dead || !connection_has_credit(sender) ? NULL : LINK_TAKE(&port->spare, struct message, link);
	if (!message)
		return false;
	link_append(&port->held, &message->link);
	message->sender = sender;
	if (sender)
		sender->queued++;
	entry->tag = letter->tag;
	entry->badge = letter->badge;
	arch_copy_words(entry->words, letter->words, TSS_MESSAGE_REGISTERS);
	message_copy_payload(entry->words, letter->rest, letter->tag);
	/* Last: whoever sees it takes the entry for whole. */
	__atomic_store_n(&shared->tail, ++port->posted, __ATOMIC_RELEASE);
	if (port->event)
		event_signal(port->event, TSS_EVENT_MAILBOX);
	return true;
}

status_t mailbox_send(struct thread *self, struct connection *connection)
{
	const struct arch_frame *frame = &self->frame;
	const uint64_t words[] = {frame->r10, frame->r8, frame->r9, frame->rbx};
	const struct mailbox_letter letter = {connection, ARG2(self), connection->badge, words, self->ipc->send};
	if (connection->target->event && !event_at_home(connection->target->event))
		kernel_exclusive(self);
	if (TSS_TAG_CAPS(letter.tag))
		return ERR(ARGUMENT, 2);
	bool sent = mailbox_put(connection->target, &letter);
	connection->sends += sent;
	return sent ? TSS_OK : ERR(FULL, 1);
}

void mailbox_end(struct port *port)
{
	struct message *message;
	if (!port->mailbox)
		return;
	port->mailbox->written = NULL;
	port->mailbox = NULL;
	port->posted = port->retired = 0;
	while ((message = LINK_FIRST(&port->held, struct message, link)))
		mailbox_release(port, message);
	link_append_all(&port->free_messages, &port->spare);
}

/* (port, memory) */
status_t sys_port_mailbox(struct thread *self, struct capability *cap)
{
	struct port *port = (struct port *)cap->object;
	struct memory *memory = ARGUMENT2(self, MEMORY, WRITE);
	if (port->mailbox || !link_empty(&port->messages))
		return port->mailbox ? ERR(BUSY, 1) : ERR(AGAIN, 1);
	if (!port->depth || port->object.revoking == REVOKE_SEALED)
		return ERR(ARGUMENT, 1);
	if (memory->run || memory->pages < TSS_MAILBOX_PAGES(port->depth))
		return ERR(ARGUMENT, 2);
	if (memory->written)
		return ERR(BUSY, 2);
	if (!port_waiting(port))
		port_move(port, self->cpu);
	memory->written = port;
	port->mailbox = memory;
	__builtin_memset(mailbox_page(port, 0), 0, sizeof(struct tss_mailbox));
	link_append_all(&port->spare, &port->free_messages);
	return TSS_OK;
}
