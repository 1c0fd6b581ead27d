// SPDX-License-Identifier: GPL-2.0-or-later
/* Ends that a test drives by hand, and the stream end on real pipes. */
#include "plug/cable.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../unit/packet.h"
#include "../unit/test.h"
#include "common/log.h"
#include "plug/ends.h"

#define MAX 512

struct fake {
	struct end end;
	int source, sink; /* frames it still has; room it still has */
	int next; /* number of the next frame it gives */
	int got[MAX], n_got;
	int over; /* what recv() says when it has no more */
	bool rx, tx, closed, hung_up;
	uint8_t data[END_BURST][64];
	const struct vde_frame *special; /* it gives these before others */
	int n_special;
	struct vde_frame last; /* it took, but for the memory */
	int n_packets; /* segments of TCP, finished, in order */
};

static struct loop *loop;
static struct cable cable;

static struct fake *fake_of(struct end *e)
{
	return container_of(e, struct fake, end);
}

#define MSS 100

/* Is it number @i of what a frame of TCP is cut into? */
static bool is_segment(const struct vde_frame *f, int i)
{
	struct packet_view v;
	uint8_t seq[4];

	packet_be32(seq, (uint32_t)i * MSS);
	return packet_read(f->data, f->len, &v) && f->len - v.payload == MSS &&
	       !f->offload.flags && !f->offload.gso_type &&
	       !memcmp((uint8_t *)f->data + v.l4 + 4, seq, sizeof(seq));
}

static int fake_recv(struct end *e, struct vde_frame *f, int n)
{
	struct fake *k = fake_of(e);
	int i = 0;

	for (; i < n && k->n_special; i++, k->n_special--)
		f[i] = *k->special++;
	for (; i < n && k->source; i++, k->source--) {
		memcpy(k->data[i], &k->next, sizeof(k->next));
		k->next++;
		f[i] = (struct vde_frame){ k->data[i], 64, { 0 } };
	}
	return i ? i : k->over;
}

static int fake_send(struct end *e, const struct vde_frame *f, int n)
{
	struct fake *k = fake_of(e);
	int i = 0;

	for (; i < n && k->sink && k->n_got < MAX; i++, k->sink--) {
		memcpy(&k->got[k->n_got++], f[i].data, sizeof(int));
		k->last = f[i];
		k->n_packets += is_segment(&f[i], k->n_packets);
	}
	return i;
}

static int fake_want_rx(struct end *e, bool on)
{
	fake_of(e)->rx = on;
	return 0;
}

static int fake_want_tx(struct end *e, bool on)
{
	fake_of(e)->tx = on;
	return 0;
}

static bool fake_pending(struct end *e)
{
	return fake_of(e)->source > 0;
}

static void fake_hang_up(struct end *e)
{
	fake_of(e)->hung_up = true;
}

static void fake_close(struct end *e)
{
	fake_of(e)->closed = true;
	end_fini(e);
}

static const struct end_ops fake_ops = {
	.recv = fake_recv,
	.send = fake_send,
	.want_rx = fake_want_rx,
	.want_tx = fake_want_tx,
	.pending = fake_pending,
	.hang_up = fake_hang_up,
	.close = fake_close,
};

static void stop_timer(struct loop_timer *t)
{
	loop_stop(loop);
}

/* Lets the loop run for @ms, or until the cable is over. */
static void turn(unsigned int ms)
{
	struct loop_timer t = { 0 };

	CHECK(loop_timer_set(loop, &t, ms * LOOP_MS, stop_timer) == 0);
	CHECK(loop_run(loop) == 0);
	loop_timer_del(loop, &t);
}

static void with_cable(void (*body)(struct fake *, struct fake *))
{
	static struct fake a, b;

	a = b = (struct fake){ .sink = MAX };
	loop = loop_new();
	CHECK(end_init(&a.end, &fake_ops, loop, "a"));
	CHECK(end_init(&b.end, &fake_ops, loop, "b"));
	CHECK(cable_open(&cable, loop, &a.end, &b.end) == 0);
	body(&a, &b);
	cable_close(&cable);
	CHECK(a.closed && b.closed);
	loop_free(loop);
}

static bool in_order(const struct fake *k, int n)
{
	for (int i = 0; i < k->n_got; i++)
		if (k->got[i] != i)
			return false;
	return k->n_got == n;
}

static void frames_arrive_in_order_body(struct fake *a, struct fake *b)
{
	CHECK(a->rx && b->rx && !a->tx && !b->tx);
	a->source = 300;
	end_readable(&a->end);
	CHECK(b->n_got == END_BURST); /* one burst, then others' turn */
	turn(1);
	CHECK(in_order(b, 300));
}

static void frames_arrive_in_order(void)
{
	with_cable(frames_arrive_in_order_body);
}

static void frames_without_room_wait_body(struct fake *a, struct fake *b)
{
	a->source = 100;
	b->sink = 10;
	end_readable(&a->end);
	turn(1);
	CHECK(in_order(b, 10) && b->tx && !a->rx);
	CHECK(a->source == 100 - END_BURST); /* and no more was taken */
	b->sink = 20;
	end_writable(&b->end);
	CHECK(in_order(b, 30) && b->tx && !a->rx);
	b->sink = MAX;
	end_writable(&b->end);
	turn(1);
	CHECK(in_order(b, 100) && !b->tx && a->rx);
}

static void frames_without_room_wait_and_hold_their_source(void)
{
	with_cable(frames_without_room_wait_body);
}

static void a_held_direction_body(struct fake *a, struct fake *b)
{
	a->source = 50;
	b->sink = 0;
	end_readable(&a->end);
	b->source = 200;
	end_readable(&b->end);
	turn(1);
	CHECK(in_order(a, 200) && b->n_got == 0);
}

static void a_held_direction_does_not_hold_the_other(void)
{
	with_cable(a_held_direction_body);
}

static void the_end_of_an_end_body(struct fake *a, struct fake *b)
{
	a->source = 3;
	a->over = END_OVER;
	end_readable(&a->end);
	CHECK(!cable.over && in_order(b, 3));
	end_readable(&a->end);
	CHECK(cable.over && cable.status == 0);
}

static void frames_before_the_end_are_delivered(void)
{
	with_cable(the_end_of_an_end_body);
}

static void hang_up_body(struct fake *a, struct fake *b)
{
	b->source = 1;
	b->over = END_OVER;
	a->end.user->gone(a->end.user, &a->end);
	CHECK(b->hung_up && !b->rx && !a->hung_up);
	end_readable(&b->end); /* its end is not the cable's any more */
	end_readable(&b->end);
	CHECK(!cable.over && a->n_got == 0);
	cable_stop(&cable, EXIT_FAILURE);
	CHECK(cable.status == EXIT_FAILURE);
}

static void who_has_gone_takes_the_other_end_along(void)
{
	with_cable(hang_up_body);
}

static void hang_up_late_body(struct fake *a, struct fake *b)
{
	a->source = 3;
	b->sink = 1;
	end_readable(&a->end);
	a->end.user->gone(a->end.user, &a->end);
	CHECK(!b->hung_up && b->n_got == 1);
	b->sink = MAX;
	end_writable(&b->end);
	CHECK(in_order(b, 3));
}

static void but_not_before_what_it_sent_has_arrived(void)
{
	with_cable(hang_up_late_body);
}

static void a_broken_end_body(struct fake *a, struct fake *b)
{
	b->over = END_BROKEN;
	end_readable(&b->end);
	CHECK(cable.over && cable.status == EXIT_FAILURE);
	cable_stop(&cable, EXIT_SUCCESS);
	CHECK(cable.status == EXIT_FAILURE); /* the first one counts */
	a->source = 1;
	end_readable(&a->end);
	CHECK(b->n_got == 0);
}

static void a_broken_end_is_a_failure(void)
{
	with_cable(a_broken_end_body);
}

static int n_watched;
static const struct end *watched;

static void watch(void *ctx, const struct end *from, const struct vde_frame *f,
		  int n)
{
	n_watched += n;
	watched = from;
}

static void a_watcher_body(struct fake *a, struct fake *b)
{
	cable.watch = watch;
	a->source = 5;
	b->sink = 2;
	end_readable(&a->end);
	b->sink = 10;
	end_writable(&b->end);
	CHECK(n_watched == 5 && watched == &a->end);
}

static void a_watcher_sees_each_frame_once(void)
{
	with_cable(a_watcher_body);
}

/* ---- offloads ---- */

static uint8_t super[PACKET_MAX], begun[PACKET_MAX];

/* One frame of @segs segments, behind it one more segment without a checksum
 * and a frame that nobody can cut. */
static void make_special(struct vde_frame f[3], int segs)
{
	struct packet k = { .version = 6,
			    .ttl = 1,
			    .flags = 0x10,
			    .payload = (size_t)segs * MSS,
			    .gso_size = MSS };
	struct frame_offload o;

	f[0] = (struct vde_frame){ super, packet_make(&k, super, &o), { 0 } };
	batch_set_offload(&f[0], &o);
	k.seq = (uint32_t)k.payload;
	k.payload = MSS;
	f[1] = (struct vde_frame){ begun, packet_make(&k, begun, &o), { 0 } };
	o.gso_type = FRAME_GSO_NONE;
	o.gso_size = o.hdr_len = 0;
	batch_set_offload(&f[1], &o);
	f[2] = f[0];
	f[2].offload.csum_start = 60000;
}

static void finished_body(struct fake *a, struct fake *b)
{
	struct vde_frame f[3];

	make_special(f, 200);
	a->special = f;
	a->n_special = 3;
	a->source = 2; /* and ordinary ones behind them */
	end_readable(&a->end);
	turn(1);
	CHECK(b->n_packets == 201 && b->n_got == 203 && a->rx);
	CHECK(cable.way[0].finish.refused == 1);
}

static void an_end_that_takes_nothing_gets_ordinary_frames(void)
{
	with_cable(finished_body);
}

static void some_finished_body(struct fake *a, struct fake *b)
{
	struct vde_frame f[3];

	make_special(f, 200);
	b->end.takes = VDE_TAKES_CSUM | VDE_TAKES_TSO6;
	a->special = f;
	a->n_special = 1;
	end_readable(&a->end);
	CHECK(b->n_got == 1 && b->last.len == f[0].len &&
	      b->last.offload.gso_size == MSS && b->last.data == super);
	b->end.takes = VDE_TAKES_CSUM | VDE_TAKES_TSO4;
	a->special = f + 1;
	a->n_special = 1;
	end_readable(&a->end);
	CHECK(b->n_got == 2 && b->last.offload.flags == FRAME_NEEDS_CSUM);
	a->special = f;
	a->n_special = 1;
	end_readable(&a->end);
	turn(1);
	CHECK(b->n_got == 202 && b->n_packets == 200);
}

static void an_end_gets_unfinished_what_it_takes_and_no_more(void)
{
	with_cable(some_finished_body);
}

static void finished_waits_body(struct fake *a, struct fake *b)
{
	struct vde_frame f[3];

	make_special(f, 300);
	a->special = f;
	a->n_special = 2;
	a->source = 100;
	b->sink = 1;
	end_readable(&a->end);
	for (int i = 1; i < 301; i++) {
		turn(0);
		CHECK(b->n_packets == i && b->n_got == i && b->tx && !a->rx);
		CHECK(a->source == 100 - (END_BURST - 2));
		b->sink = 1;
		end_writable(&b->end);
	}
	b->sink = MAX;
	end_writable(&b->end);
	turn(1);
	CHECK(b->n_packets == 301 && b->n_got == 401 && a->rx && !b->tx);
}

static void pieces_of_a_frame_wait_for_room_one_by_one(void)
{
	with_cable(finished_waits_body);
}

static void long_pieces_body(struct fake *a, struct fake *b)
{
	struct vde_frame f[3];

	make_special(f, 200);
	f[0].offload.gso_size = 10000;
	a->special = f;
	a->n_special = 2;
	end_readable(&a->end);
	CHECK(b->n_got == 1 && cable.way[0].finish.too_long == 1);
}

static void pieces_that_are_longer_than_a_frame_may_be_are_dropped(void)
{
	with_cable(long_pieces_body);
}

/* ---- the stream ---- */

struct pipes {
	int to[2], from[2]; /* the test writes to[1] and reads from[0] */
};

static struct end *stream;

static void with_stream(void (*body)(struct pipes *, struct fake *))
{
	static struct fake a;
	struct pipes p;

	a = (struct fake){ .sink = MAX };
	loop = loop_new();
	CHECK(!pipe(p.to) && !pipe(p.from));
	CHECK(!fcntl(p.from[0], F_SETFL, O_NONBLOCK));
	CHECK(end_init(&a.end, &fake_ops, loop, "a"));
	CHECK(end_stream_open(&stream, loop,
			      &(struct stream_fds){ p.to[0], p.from[1], "in",
						    "out", 0 }) == 0);
	CHECK(cable_open(&cable, loop, &a.end, stream) == 0);
	body(&p, &a);
	cable_close(&cable);
	CHECK(!(fcntl(p.to[0], F_GETFL) & O_NONBLOCK));
	loop_free(loop);
	for (int i = 0; i < 2; i++) {
		close(p.to[i]);
		close(p.from[i]);
	}
}

static void put(int fd, const void *s, size_t n)
{
	CHECK(write(fd, s, n) == (ssize_t)n);
}

static void a_split_frame_body(struct pipes *p, struct fake *a)
{
	uint8_t f[66] = { 0, 64 };

	for (int i = 0; i < 3; i++) {
		memcpy(f + 2, &i, sizeof(i));
		for (size_t k = 0; k < sizeof(f); k++) {
			CHECK(a->n_got == i);
			put(p->to[1], f + k, 1);
			turn(0);
		}
	}
	turn(1);
	CHECK(in_order(a, 3));
}

static void a_frame_may_come_byte_by_byte(void)
{
	with_stream(a_split_frame_body);
}

static void stream_hang_up_body(struct pipes *p, struct fake *a)
{
	char buf[80];

	a->source = 1;
	end_readable(&a->end);
	a->end.user->gone(a->end.user, &a->end);
	CHECK(read(p->from[0], buf, sizeof(buf)) == 66);
	CHECK(read(p->from[0], buf, sizeof(buf)) == 0);
	close(p->to[1]); /* the end of the input says nothing now */
	p->to[1] = -1;
	turn(5);
	CHECK(!cable.over);
}

static void the_reader_sees_the_end_before_the_cable_is_over(void)
{
	with_stream(stream_hang_up_body);
}

static void short_frames_body(struct pipes *p, struct fake *a)
{
	uint8_t f[2 + 13] = { 0, 13 };
	uint8_t g[2 + 14] = { 0, 14 };

	put(p->to[1], f, sizeof(f));
	put(p->to[1], "\0\0", 2);
	put(p->to[1], g, sizeof(g));
	turn(1);
	CHECK(in_order(a, 1) && !cable.over);
	CHECK(stream->drops[END_DROP_SHORT] == 1 &&
	      stream->drops[END_DROP_EMPTY] == 1);
}

static void what_is_shorter_than_a_header_is_no_frame(void)
{
	with_stream(short_frames_body);
}

static void shorter_frames_body(struct pipes *p, struct fake *a)
{
	stream->min_len = 4;
	put(p->to[1], "\0\0\0\3abc\0\4\0\0\0\0", 13);
	turn(1);
	CHECK(in_order(a, 1));
	CHECK(stream->drops[END_DROP_SHORT] == 1 &&
	      stream->drops[END_DROP_EMPTY] == 1);
}

static void unless_the_user_of_the_end_says_otherwise(void)
{
	with_stream(shorter_frames_body);
}

/* ---- a stream of one direction ---- */

static void a_stream_may_have_an_input_alone(void)
{
	uint8_t f[66] = { 0, 64 };
	static struct fake a;
	int fd[2];

	a = (struct fake){ .sink = MAX };
	CHECK(!pipe(fd));
	loop = loop_new();
	CHECK(end_init(&a.end, &fake_ops, loop, "a"));
	CHECK(end_stream_open(
		      &stream, loop,
		      &(struct stream_fds){ fd[0], -1, "in", NULL, 0 }) == 0);
	CHECK(!strcmp(stream->name, "in"));
	CHECK(cable_open(&cable, loop, &a.end, stream) == 0);
	put(fd[1], f, sizeof(f));
	turn(1);
	CHECK(in_order(&a, 1) && !cable.over);
	close(fd[1]);
	turn(1);
	CHECK(cable.over && cable.status == EXIT_SUCCESS);
	cable_close(&cable);
	loop_free(loop);
	close(fd[0]);
}

static void or_an_output_alone(void)
{
	static struct fake a;
	uint8_t buf[80];
	int fd[2];

	a = (struct fake){ .sink = MAX, .source = 1 };
	CHECK(!pipe(fd));
	loop = loop_new();
	CHECK(end_init(&a.end, &fake_ops, loop, "a"));
	CHECK(end_stream_open(
		      &stream, loop,
		      &(struct stream_fds){ -1, fd[1], NULL, "out", 0 }) == 0);
	CHECK(cable_open(&cable, loop, &a.end, stream) == 0);
	end_readable(&a.end);
	turn(1);
	CHECK(read(fd[0], buf, sizeof(buf)) == 66 && !cable.over);
	cable_close(&cable);
	CHECK(!(fcntl(fd[1], F_GETFL) & O_NONBLOCK));
	loop_free(loop);
	close(fd[0]);
	close(fd[1]);
}

/* ---- the end of a stream ---- */

static void garbage_body(struct pipes *p, struct fake *a)
{
	uint8_t f[66] = { 0, 64 };

	put(p->to[1], f, sizeof(f));
	put(p->to[1], "Welcome", 7);
	turn(10);
	CHECK(in_order(a, 1));
	CHECK(cable.over && cable.status == EXIT_FAILURE);
}

static void an_impossible_length_is_the_end(void)
{
	with_stream(garbage_body);
}

static void cut_body(struct pipes *p, struct fake *a)
{
	put(p->to[1], "\0\100x", 3);
	close(p->to[1]);
	turn(10);
	CHECK(cable.over && cable.status == EXIT_FAILURE);
	p->to[1] = dup(p->to[0]);
}

static void an_end_within_a_frame_is_a_failure(void)
{
	with_stream(cut_body);
}

static void eof_body(struct pipes *p, struct fake *a)
{
	uint8_t f[66] = { 0, 64 };

	a->sink = 0;
	put(p->to[1], f, sizeof(f));
	close(p->to[1]);
	turn(2);
	CHECK(!cable.over); /* the frame is still held */
	a->sink = 1;
	end_writable(&a->end);
	turn(10);
	CHECK(in_order(a, 1));
	CHECK(cable.over && cable.status == EXIT_SUCCESS);
	p->to[1] = dup(p->to[0]);
}

static void an_end_between_frames_comes_after_the_last_of_them(void)
{
	with_stream(eof_body);
}

/* How many frames are in the pipe, all whole and in order? */
static int drain(int fd)
{
	static uint8_t buf[4 * 1024 * 1024];
	size_t len = 0, at = 0;
	int n = 0;
	ssize_t k;

	while ((k = read(fd, buf + len, sizeof(buf) - len)) > 0) {
		len += (size_t)k;
		turn(0);
	}
	for (; at + 66 <= len; at += 66, n++) {
		int number;

		memcpy(&number, buf + at + 2, sizeof(number));
		CHECK(buf[at] == 0 && buf[at + 1] == 64 && number == n);
	}
	CHECK(at == len);
	return n;
}

static void slow_reader_body(struct pipes *p, struct fake *a)
{
	int before, total = 20000;

	a->source = total;
	end_readable(&a->end);
	turn(5);
	before = a->source;
	CHECK(before > 0 && !a->rx); /* pipe and buffer are full */
	turn(5);
	CHECK(a->source == before);
	CHECK(drain(p->from[0]) == total && a->source == 0 && a->rx);
}

static void a_slow_reader_holds_the_source_and_gets_whole_frames(void)
{
	with_stream(slow_reader_body);
}

/* The stream had no room for a frame, and has sent all it had before it is
 * asked to tell when it has. */
static void just_emptied_body(struct pipes *p, struct fake *a)
{
	struct cable_way *w = &cable.way[0];

	a->source = 3;
	w->n = fake_recv(&a->end, w->burst, 2);
	CHECK(w->to->ops->want_tx(w->to, true) == 0);
	turn(5);
	CHECK(a->source == 0 && a->rx);
	CHECK(drain(p->from[0]) == 3);
}

static void a_reader_that_empties_the_pipe_at_once_is_noticed(void)
{
	with_stream(just_emptied_body);
}

static void no_reader_body(struct pipes *p, struct fake *a)
{
	close(p->from[0]);
	turn(1);
	CHECK(!cable.over);
	a->source = 1;
	end_readable(&a->end);
	CHECK(cable.over && cable.status == EXIT_FAILURE);
	p->from[0] = dup(p->to[0]);
}

static void an_output_without_reader_is_a_failure_once_written(void)
{
	with_stream(no_reader_body);
}

static void left_body(struct pipes *p, struct fake *a)
{
	uint8_t f[66] = { 0, 64 };

	put(p->to[1], f, sizeof(f));
	close(p->from[0]);
	close(p->to[1]);
	a->source = 100;
	end_readable(&a->end);
	CHECK(!cable.over && a->n_got == 0 && stream->drops[END_DROP_LOST]);
	turn(10);
	CHECK(in_order(a, 1));
	CHECK(cable.over && cable.status == EXIT_SUCCESS);
	p->to[1] = dup(p->to[0]);
	p->from[0] = dup(p->to[0]);
}

static void unless_who_read_it_has_left_altogether(void)
{
	with_stream(left_body);
}

int main(void)
{
	log_open("test_cable", LOG_CRIT);
	signal(SIGPIPE, SIG_IGN);
	RUN(frames_arrive_in_order);
	RUN(frames_without_room_wait_and_hold_their_source);
	RUN(a_held_direction_does_not_hold_the_other);
	RUN(frames_before_the_end_are_delivered);
	RUN(who_has_gone_takes_the_other_end_along);
	RUN(but_not_before_what_it_sent_has_arrived);
	RUN(a_broken_end_is_a_failure);
	RUN(a_watcher_sees_each_frame_once);
	RUN(an_end_that_takes_nothing_gets_ordinary_frames);
	RUN(an_end_gets_unfinished_what_it_takes_and_no_more);
	RUN(pieces_of_a_frame_wait_for_room_one_by_one);
	RUN(pieces_that_are_longer_than_a_frame_may_be_are_dropped);
	RUN(a_frame_may_come_byte_by_byte);
	RUN(the_reader_sees_the_end_before_the_cable_is_over);
	RUN(what_is_shorter_than_a_header_is_no_frame);
	RUN(unless_the_user_of_the_end_says_otherwise);
	RUN(a_stream_may_have_an_input_alone);
	RUN(or_an_output_alone);
	RUN(an_impossible_length_is_the_end);
	RUN(an_end_within_a_frame_is_a_failure);
	RUN(an_end_between_frames_comes_after_the_last_of_them);
	RUN(a_slow_reader_holds_the_source_and_gets_whole_frames);
	RUN(a_reader_that_empties_the_pipe_at_once_is_noticed);
	RUN(an_output_without_reader_is_a_failure_once_written);
	RUN(unless_who_read_it_has_left_altogether);
	DONE();
}
