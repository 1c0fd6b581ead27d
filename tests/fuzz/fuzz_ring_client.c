// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The library's end of rings against a switch that is an enemy: the answer is
 * spoiled, has descriptors too few, too many or of the wrong kind; if the
 * client takes it all the same, words and records are written to between its
 * calls, kicks come or not.
 *
 * No frame is longer than its room or than any may be, an offload is one that
 * was asked for and true, what is broken stays so, and no descriptor is left
 * over. A kick that was promised is sent: the client would wait for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../fuzz/input.h"
#include "base/ringmap.h"
#include "lib/conn_ring.h"

#define SIZE RING_MIN_SIZE
#define N_FRAMES 4
#define ROOM 2000 /* less than many a frame */
#define FDS_MAX 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The switch. */
struct enemy {
	int ctl, data; /* its ends */
	int memory, kick, their_data; /* what it gives away */
	struct ringmap map;
	unsigned int caps; /* of the client */
	bool broken;
};

/* ---- the answer ---- */

static int choose_fds(struct enemy *e, struct input *in, int fds[FDS_MAX])
{
	uint32_t how = take(in);
	int n = 0;

	fds[n++] = how == 1 ? e->kick : how == 2 ? e->ctl : e->memory;
	fds[n++] = how == 3 ? e->memory : e->kick;
	fds[n++] = how == 4 ? e->kick : e->their_data;
	if (how >= 8 && how < 16)
		n = (int)how - 8 < n ? (int)how - 8 : n;
	while (how >= 16 && how < 24 && n < (int)how - 12)
		fds[n++] = e->kick;
	return n;
}

static void send_answer(const struct enemy *e, const struct wire_answer *a,
			size_t len, const int *fds, int n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { unconst(a), len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, (size_t)n * sizeof(int));
	}
	must(sendmsg(e->ctl, &msg, MSG_NOSIGNAL) >= 0);
}

static void answer(struct enemy *e, struct input *in)
{
	struct wire_answer a = { .magic = WIRE_MAGIC,
				 .version = WIRE_VERSION_RING,
				 .port = 1,
				 .caps = take(in),
				 .ring_size = SIZE,
				 .max_len = ETHER_MAX_LEN };
	uint32_t words[sizeof(a) / 4], how = take(in);
	size_t len = sizeof(a);
	int fds[FDS_MAX], n;

	if (how & 1)
		a.max_len = SIZE - 16;
	if (how & 2) {
		memcpy(words, &a, sizeof(a));
		words[take(in) % 8] = take32(in);
		memcpy(&a, words, sizeof(a));
	}
	if (how & 4)
		len = take(in) % (sizeof(a) + 1);
	n = how & 8 ? choose_fds(e, in, fds) : 3;
	if (!(how & 8))
		memcpy(fds, (const int[]){ e->memory, e->kick, e->their_data },
		       3 * sizeof(int));
	if (len)
		send_answer(e, &a, len, fds, n);
	if (how & 16)
		shutdown(e->ctl, SHUT_RDWR);
}

/* ---- the rings ---- */

static void kick(const struct enemy *e)
{
	send(e->data, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void spoil_word(struct enemy *e, struct input *in)
{
	uint32_t which = take(in);
	struct ring *r = which & 8 ? &e->map.to_switch : &e->map.to_client;
	_Atomic uint32_t *const words[] = { &r->sh->tail, &r->sh->start,
					    &r->sh->head,
					    &r->sh->consumer_waits,
					    &r->sh->producer_waits };
	_Atomic uint32_t *w = words[which % ARRAY_SIZE(words)];
	uint32_t v = take(in);

	if (which & 16)
		v = take32(in);
	else
		v = 16 * v + (which & 32 ? atomic_load(w) : 0);
	atomic_store(w, v);
}

/* A frame as a good switch sends it, but for what the input says. */
static void send_frame(struct enemy *e, struct input *in)
{
	struct ring *r = &e->map.to_client;
	uint32_t how = take(in);
	struct ring_record rec = { .len = 14 + 8 * take(in) };
	uint8_t *p;
	int err = 0;

	if (how & 1) {
		rec.flags = (uint8_t)take(in);
		rec.gso_type = (uint8_t)take(in);
		rec.hdr_len = (uint16_t)take(in);
		rec.gso_size = (uint16_t)(16 * take(in));
		rec.csum_start = (uint16_t)take(in);
		rec.csum_offset = (uint16_t)take(in);
	}
	p = ring_reserve(r, &rec, &err);
	if (!p)
		return;
	for (uint32_t i = 0; i < rec.len && i < 64; i++)
		p[i] = (uint8_t)take(in);
	if (how & 2) {
		rec.len = take32(in);
		memcpy(p - sizeof(rec), &rec, sizeof(rec));
	}
	if (ring_publish(r) && !(how & 4))
		kick(e);
}

static void spoil(struct enemy *e, struct input *in)
{
	uint32_t at, n;

	switch (take(in) % 8) {
	case 0:
	case 1:
		spoil_word(e, in);
		break;
	case 2:
		at = take32(in) % (2 * SIZE - 64);
		for (n = take(in) % 64; n; n--)
			e->map.to_switch.data[at % SIZE + n] = (uint8_t)take(
				in);
		break;
	case 3:
		kick(e);
		break;
	case 4: /* a good consumer */
		atomic_store(&e->map.to_switch.sh->head,
			     atomic_load(&e->map.to_switch.sh->tail));
		break;
	default:
		send_frame(e, in);
	}
}

/* ---- the client ---- */

/* What a client waits for comes: 100 ms each time are too long for a test. */
static void keep_promises(const struct enemy *e)
{
	if (!atomic_load(&e->map.to_client.sh->consumer_waits))
		kick(e);
}

static void check_result(struct enemy *e, ssize_t n)
{
	if (e->broken)
		must(n < 0);
	e->broken |= n == -EPROTO;
}

static void receive(struct enemy *e, struct vdeconn *c, struct input *in)
{
	static uint8_t room[N_FRAMES][VDE_FRAME_MAX];
	struct vde_frame f[N_FRAMES];
	size_t len = take(in) & 1 ? VDE_FRAME_MAX : ROOM;
	int n;

	keep_promises(e);
	if (take(in) & 1) {
		ssize_t got = c->ops->recv(c, room, len, MSG_DONTWAIT);

		must(got <= (ssize_t)len);
		check_result(e, got);
		return;
	}
	for (int i = 0; i < N_FRAMES; i++)
		f[i] = (struct vde_frame){ .data = room[i], .len = len };
	n = c->ops->recv_batch(c, f, N_FRAMES);
	must(n != 0 && n <= N_FRAMES);
	check_result(e, n);
	for (int i = 0; i < n; i++) {
		const struct frame_offload o = batch_offload(&f[i]);

		must(f[i].len <= len);
		must(offload_is_none(&o) ||
		     (offload_fits(&o, e->caps) &&
		      offload_check(f[i].data, f[i].len, &o)));
	}
}

static void transmit(struct enemy *e, struct vdeconn *c, struct input *in)
{
	static uint8_t bytes[VDE_FRAME_MAX];
	struct vde_frame f[N_FRAMES];
	size_t len = 1 + take(in) * 40;
	ssize_t n;

	if (take(in) & 1) {
		n = c->ops->send(c, bytes, len, MSG_DONTWAIT);
		must(n < 0 || n == (ssize_t)len);
		return;
	}
	for (int i = 0; i < N_FRAMES; i++)
		f[i] = (struct vde_frame){ .data = bytes, .len = len };
	f[0].offload.flags = (uint8_t)take(in);
	n = c->ops->send_batch(c, f, N_FRAMES);
	must(n != 0 && n <= N_FRAMES);
}

static void use(struct enemy *e, struct vdeconn *c, struct input *in)
{
	while (in->left) {
		switch (take(in) % 8) {
		case 0:
		case 1:
			receive(e, c, in);
			break;
		case 2:
			transmit(e, c, in);
			break;
		default:
			spoil(e, in);
		}
	}
}

/* ---- life ---- */

static int lowest_free(void)
{
	int fd = dup(0);

	must(fd >= 0);
	close(fd);
	return fd;
}

static void start(struct enemy *e, int *client)
{
	int sv[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	e->ctl = sv[0];
	*client = sv[1];
	must(!socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	e->data = sv[0];
	e->their_data = sv[1];
	e->memory = ringmap_create(SIZE);
	e->kick = eventfd(0, EFD_NONBLOCK);
	must(e->memory >= 0 && e->kick >= 0);
	must(!ringmap_open(&e->map, e->memory, SIZE, SIZE - 16));
}

static void stop(struct enemy *e)
{
	ringmap_close(&e->map);
	close(e->ctl);
	close(e->data);
	close(e->their_data);
	close(e->memory);
	close(e->kick);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct enemy e = { 0 };
	struct vdeconn *c = NULL;
	int client, before = lowest_free(), rc;

	start(&e, &client);
	e.caps = take(&in) & OFFLOAD_ALL;
	answer(&e, &in);
	rc = ring_conn_take(client, 0, e.caps, &c);
	must(rc == 0 || rc == -EAGAIN || rc == -EOPNOTSUPP || rc == -EACCES);
	must((rc == 0) == (c != NULL));
	if (c) {
		use(&e, c, &in);
		c->ops->close(c);
	} else {
		close(client);
	}
	stop(&e);
	must(lowest_free() == before);
	return 0;
}
