// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams and rings, side by side: a program must not notice which of them
 * moves its frames. The test plays the switch. What only rings have (offloads,
 * a switch that breaks the rules) comes behind the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/ringmap.h"
#include "base/wire.h"
#include "lib/conn_ring.h"
#include "lib/dgram.h"

#define SIZE RING_MIN_SIZE
#define SOON_MS 2000
#define A_WHILE_US 50000

/* One connection and the switch at its other end. */
static VDECONN *c;
static bool ring;
static struct ringmap map; /* the switch's */
static int fd_ctl, fd_data, fd_kick;
static unsigned int got_kicks;

static void open_ring(unsigned int takes, unsigned int gives, uint32_t size)
{
	struct wire_answer a = { .magic = WIRE_MAGIC,
				 .version = WIRE_VERSION_RING,
				 .caps = gives,
				 .ring_size = size,
				 .max_len = takes ? VDE_FRAME_MAX
						  : ETHER_MAX_LEN };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(WIRE_N_FDS * sizeof(int))];
	} ctl = { 0 };
	struct iovec iov = { &a, sizeof(a) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = ctl.room,
			      .msg_controllen = sizeof(ctl.room) };
	int sv[2], dv[2], fds[WIRE_N_FDS];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, dv));
	fcntl(dv[1], F_SETFL, 0);
	fd_ctl = sv[0];
	fd_data = dv[0];
	fd_kick = eventfd(0, EFD_NONBLOCK);
	fds[WIRE_FD_MEMORY] = ringmap_create(size);
	fds[WIRE_FD_SWITCH] = fd_kick;
	fds[WIRE_FD_DATA] = dv[1];
	CHECK(!ringmap_open(&map, fds[WIRE_FD_MEMORY], size, a.max_len));
	ctl.align.cmsg_level = SOL_SOCKET;
	ctl.align.cmsg_type = SCM_RIGHTS;
	ctl.align.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&ctl.align), fds, sizeof(fds));
	CHECK(sendmsg(fd_ctl, &msg, 0) == sizeof(a));
	close(fds[WIRE_FD_MEMORY]);
	close(dv[1]);
	CHECK(!ring_conn_take(sv[1], 0, takes, &c));
}

static void open_dgram(void)
{
	int sv[2], dv[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, dv));
	fd_ctl = sv[0];
	fd_data = dv[0];
	fcntl(fd_data, F_SETFL, O_NONBLOCK);
	CHECK(!dgram_conn_new(&dgram_ops, dv[1], sv[1], &c));
}

static void switch_goes(void)
{
	close(fd_ctl);
	close(fd_data);
	if (ring) {
		close(fd_kick);
		ringmap_close(&map);
	}
	fd_ctl = -1;
}

static void finish(void)
{
	if (fd_ctl >= 0)
		switch_goes();
	vde_close(c);
}

/* What the switch does when it is kicked, or all the time. */
static void switch_looks(void)
{
	uint64_t n;
	char room[4096];

	if (!ring)
		return;
	if (read(fd_kick, &n, sizeof(n)) > 0)
		got_kicks += (unsigned int)n;
	if (ring_missed(&map.to_client))
		CHECK(send(fd_data, "", 1, 0) == 1);
	if (ring_has_quarter(&map.to_switch))
		while (recv(fd_data, room, sizeof(room), 0) >= 0)
			;
	ring_wait_data(&map.to_switch);
}

static bool give_as(const void *data, uint32_t len, struct ring_record rec)
{
	int err = 0;
	uint8_t *p;

	rec.len = len;
	if (!ring)
		return send(fd_data, data, len, 0) == (ssize_t)len;
	p = ring_reserve(&map.to_client, &rec, &err);
	if (!p)
		return false;
	memcpy(p, data, len);
	return !ring_publish(&map.to_client) || send(fd_data, "", 1, 0) == 1;
}

static void give(uint32_t len, int mark)
{
	uint8_t data[ETHER_MAX_LEN];

	memset(data, mark, len);
	CHECK(give_as(data, len, (struct ring_record){ 0 }));
}

/* The next frame's length, its first byte in *@mark; -1: there is none. */
static ssize_t take_as(void *buf, size_t room, struct ring_record *rec)
{
	int err = 0;
	const uint8_t *p;

	if (!ring)
		return recv(fd_data, buf, room, MSG_TRUNC);
	p = ring_peek(&map.to_switch, rec, &err);
	CHECK(!err);
	if (!p)
		return -1;
	memcpy(buf, p, room < rec->len ? room : rec->len);
	ring_take(&map.to_switch, rec);
	ring_release(&map.to_switch);
	switch_looks();
	return (ssize_t)rec->len;
}

static ssize_t take(uint8_t *mark)
{
	struct ring_record rec;

	return take_as(mark, 1, &rec);
}

static bool is(short events, int ms)
{
	struct pollfd p = { .fd = vde_datafd(c), .events = events };

	return poll(&p, 1, ms) == 1 && p.revents & events;
}

static ssize_t hear(uint8_t *mark, int flags)
{
	uint8_t buf[ETHER_MAX_LEN] = { 0 };
	ssize_t n = vde_recv(c, buf, sizeof(buf), flags);

	*mark = buf[0];
	return n;
}

static ssize_t say(size_t len, int mark, int flags)
{
	uint8_t data[ETHER_MAX_LEN + 1];

	memset(data, mark, sizeof(data));
	return vde_send(c, data, len, flags);
}

static void set_nonblock(bool on)
{
	CHECK(!fcntl(vde_datafd(c), F_SETFL, on ? O_NONBLOCK : 0));
}

/* In a child, after a while; it uses the switch's side alone. */
static pid_t later(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		usleep(A_WHILE_US);
		fn();
		_exit(test_failed);
	}
	return pid;
}

static bool is_done(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static int fill(void)
{
	int n = 0;

	while (say(1000, n, MSG_DONTWAIT) == 1000 && n < 100000)
		n++;
	CHECK(errno == EAGAIN);
	return n;
}

/* --- what holds for both --- */

static void poll_and_select_tell_whether_there_is_a_frame(void)
{
	int fd = vde_datafd(c);
	struct timeval none = { 0 };
	fd_set set;
	uint8_t m;

	CHECK(!is(POLLIN, 0) && is(POLLOUT, 0));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5; i++)
			give(60 + (uint32_t)i, i);
		for (int i = 0; i < 5; i++) {
			FD_ZERO(&set);
			FD_SET(fd, &set);
			CHECK(is(POLLIN, 0) && is(POLLIN, 0));
			CHECK(select(fd + 1, &set, NULL, NULL, &none) == 1);
			CHECK(hear(&m, 0) == 60 + i && m == i);
		}
		CHECK(!is(POLLIN, 0));
		FD_ZERO(&set);
		FD_SET(fd, &set);
		CHECK(select(fd + 1, &set, NULL, NULL, &none) == 0);
	}
}

static bool has_event(int ep, int ms)
{
	struct epoll_event e;

	return epoll_wait(ep, &e, 1, ms) == 1;
}

static void edges_come_to_who_reads_to_the_end(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	uint8_t m;

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, vde_datafd(c), &e));
	CHECK(!has_event(ep, 0));
	for (int i = 0; i < 3; i++) {
		give(60, i);
		CHECK(has_event(ep, 0) && !has_event(ep, 0));
		give(60, i);
		while (hear(&m, MSG_DONTWAIT) == 60)
			CHECK(m == i);
		has_event(ep, 0); /* the second frame may have had its own */
		CHECK(!has_event(ep, 0));
	}
	close(ep);
}

static void one_shots_are_armed_again_by_what_is_there(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };
	int ep = epoll_create1(0), fd = vde_datafd(c);
	uint8_t m;

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	for (int i = 0; i < 3; i++)
		give(60, i);
	for (int i = 0; i < 3; i++) {
		CHECK(has_event(ep, 0) && !has_event(ep, 0));
		CHECK(hear(&m, 0) == 60);
		CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e));
	}
	CHECK(!has_event(ep, 0));
	close(ep);
}

static void who_does_not_want_to_wait_gets_eagain(void)
{
	struct vde_frame f = { .data = (char[60]){ 0 }, .len = 60 };
	uint8_t m;

	for (int i = 0; i < 3; i++) {
		CHECK(hear(&m, MSG_DONTWAIT) == -1 && errno == EAGAIN);
		set_nonblock(true);
		CHECK(hear(&m, 0) == -1 && errno == EAGAIN);
		set_nonblock(false);
		CHECK(vde_recv_batch(c, &f, 1) == -EAGAIN);
		CHECK(!is(POLLIN, 0));
		give(60, i);
		CHECK(hear(&m, 0) == 60 && m == i);
	}
}

static void give_one(void)
{
	give(77, 7);
}

static void who_waits_is_woken_by_a_frame(void)
{
	pid_t pid = later(give_one);
	uint8_t m;

	CHECK(hear(&m, 0) == 77 && m == 7);
	CHECK(is_done(pid));
}

static void a_receive_timeout_is_heeded(void)
{
	const struct timeval tv = { .tv_usec = A_WHILE_US };
	int64_t from = now_ms();
	uint8_t m;

	CHECK(!setsockopt(vde_datafd(c), SOL_SOCKET, SO_RCVTIMEO, &tv,
			  sizeof(tv)));
	CHECK(hear(&m, 0) == -1 && errno == EAGAIN);
	CHECK(now_ms() - from >= A_WHILE_US / 1000 - 2 &&
	      now_ms() - from < SOON_MS);
}

static volatile sig_atomic_t signals;

static void on_signal(int signo)
{
	signals++;
}

static void set_handler(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
}

static void signal_parent(void)
{
	kill(getppid(), SIGUSR1);
}

static void signal_then_give(void)
{
	kill(getppid(), SIGUSR1);
	usleep(A_WHILE_US);
	give_one();
}

static void a_signal_ends_the_wait_unless_it_is_to_go_on(void)
{
	pid_t pid;
	uint8_t m;

	signals = 0;
	set_handler(0);
	pid = later(signal_parent);
	CHECK(hear(&m, 0) == -1 && errno == EINTR && signals == 1);
	CHECK(is_done(pid));
	set_handler(SA_RESTART);
	pid = later(signal_then_give);
	CHECK(hear(&m, 0) == 77 && signals == 2);
	CHECK(is_done(pid));
	fill();
	set_handler(0);
	pid = later(signal_parent);
	CHECK(say(1000, 1, 0) == -1 && errno == EINTR && signals == 3);
	CHECK(is_done(pid));
	signal(SIGUSR1, SIG_DFL);
}

static void a_full_network_takes_no_more(void)
{
	struct vde_frame f = { .data = (char[1000]){ 0 }, .len = 1000 };
	short events;
	int n = fill(), fd = vde_sendfd(c, &events), i = 0;
	struct pollfd p = { .fd = fd, .events = events };
	ssize_t len;
	uint8_t m;

	CHECK(n > 1 && !is(POLLOUT, 0) && poll(&p, 1, 0) == 0);
	CHECK(vde_send_batch(c, &f, 1) == -EAGAIN);
	set_nonblock(true);
	CHECK(say(1000, 1, 0) == -1 && errno == EAGAIN);
	set_nonblock(false);
	CHECK(!is(POLLOUT, 0) && !is(POLLIN, 0));
	while ((len = take(&m)) > 0) {
		CHECK(len == 1000 && m == (uint8_t)i);
		i++;
	}
	CHECK(i == n && is(POLLOUT, 0) && poll(&p, 1, 0) == 1);
	CHECK(say(1000, 1, 0) == 1000 && vde_send_batch(c, &f, 1) == 1);
	CHECK(take(&m) == 1000 && m == 1 && take(&m) == 1000);
}

/* A sender that has raised the socket's buffer stops it up all the same. */
static void so_does_one_whose_buffer_was_made_bigger(void)
{
	const int big = 100000;
	uint8_t m;

	CHECK(!setsockopt(vde_datafd(c), SOL_SOCKET, SO_SNDBUF, &big,
			  sizeof(big)));
	for (int i = 0; i < 3; i++) {
		fill();
		CHECK(!is(POLLOUT, 0));
		while (take(&m) > 0)
			;
		CHECK(is(POLLOUT, 0));
	}
}

static void take_everything(void)
{
	uint8_t m;

	while (take(&m) > 0)
		;
}

static void who_waits_is_woken_by_room(void)
{
	pid_t pid;

	fill();
	pid = later(take_everything);
	CHECK(say(999, 9, 0) == 999);
	CHECK(is_done(pid));
}

static void frames_keep_their_length_or_are_cut(void)
{
	static const uint32_t lens[] = { 1, 13, 14, 60, 1514, 9000 };
	uint8_t buf[100], m;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		ssize_t cut = lens[i] < 50 ? (ssize_t)lens[i] : 50;

		CHECK(say(lens[i], 3, 0) == (ssize_t)lens[i]);
		CHECK(take(&m) == (ssize_t)lens[i] && m == 3);
		give(lens[i], 4);
		CHECK(hear(&m, 0) == (ssize_t)lens[i] && m == 4);
		memset(buf, 1, sizeof(buf));
		give(lens[i], 5);
		CHECK(vde_recv(c, buf, 50, 0) == cut);
		CHECK(buf[cut - 1] == 5 && buf[cut] == 1);
	}
	CHECK(say(0, 1, 0) == 0 && take(&m) < 0);
}

static void batches_take_what_is_there(void)
{
	static char data[VDE_BATCH_MAX + 1][100];
	struct vde_frame f[VDE_BATCH_MAX + 1];
	int left = 100, n;

	for (int i = 0; i < left; i++)
		give(60, i);
	while (left) {
		for (int i = 0; i <= VDE_BATCH_MAX; i++)
			f[i] = (struct vde_frame){ data[i],
						   100,
						   { .flags = 1 } };
		CHECK(is(POLLIN, 0));
		n = vde_recv_batch(c, f, VDE_BATCH_MAX + 1);
		CHECK(n > 0 && n <= VDE_BATCH_MAX);
		for (int i = 0; i < n; i++)
			CHECK(f[i].len == 60 && f[i].offload.flags == 0 &&
			      data[i][0] == 100 - left + i);
		if (n <= 0)
			return;
		left -= n;
	}
	CHECK(!is(POLLIN, 0) && vde_recv_batch(c, f, 1) == -EAGAIN);
	CHECK(vde_recv_batch(c, f, 0) == -EINVAL);
}

static void a_batch_is_taken_up_to_what_is_full(void)
{
	char data[4000] = { 0 };
	struct vde_frame f[VDE_BATCH_MAX];
	int sent = 0, rc, got = 0;
	uint8_t m;

	for (int i = 0; i < VDE_BATCH_MAX; i++)
		f[i] = (struct vde_frame){ data, sizeof(data), { 0 } };
	while ((rc = vde_send_batch(c, f, VDE_BATCH_MAX)) > 0)
		sent += rc;
	CHECK(rc == -EAGAIN && sent > 0 && !is(POLLOUT, 0));
	while (take(&m) == sizeof(data))
		got++;
	CHECK(got == sent && is(POLLOUT, 0));
	CHECK(vde_offloads(c) == 0);
	f[0].offload.flags = FRAME_NEEDS_CSUM;
	CHECK(vde_send_batch(c, f, 2) == -EINVAL);
	f[0].offload.flags = 0;
	f[1].offload.gso_type = FRAME_GSO_TCPV4;
	CHECK(vde_send_batch(c, f, 3) == 1 && take(&m) == sizeof(data));
}

static void the_end_of_the_switch_is_told(void)
{
	struct pollfd p = { .fd = vde_ctlfd(c), .events = POLLIN };
	ssize_t rc = 60;
	char byte;

	CHECK(poll(&p, 1, 0) == 0);
	CHECK(say(60, 1, 0) == 60);
	switch_goes();
	CHECK(poll(&p, 1, SOON_MS) == 1 && read(p.fd, &byte, 1) == 0);
	CHECK(!is(POLLIN, 0) && is(POLLOUT, 0));
	/* A switch at work is not looked at for each frame. */
	for (int i = 0; i < 300 && rc == 60; i++)
		rc = say(60, 1, 0);
	CHECK(rc == -1 && errno == ECONNREFUSED && say(60, 1, 0) == -1);
}

static void after_fork_either_may_go_on(void)
{
	uint8_t m;
	pid_t pid;

	for (int i = 0; i < 6; i++)
		give(60, i);
	CHECK(hear(&m, 0) == 60 && m == 0 && say(60, 10, 0) == 60);
	for (int i = 1; i < 5; i += 2) {
		pid = fork();
		if (pid == 0)
			_exit(!(hear(&m, 0) == 60 && m == i &&
				say(60, 10 + i, 0) == 60 && vde_close(c) == 0));
		CHECK(is_done(pid));
		CHECK(hear(&m, 0) == 60 && m == i + 1);
		CHECK(say(60, 11 + i, 0) == 60);
	}
	CHECK(is(POLLIN, 0) && hear(&m, 0) == 60 && m == 5 && !is(POLLIN, 0));
	for (int i = 0; i < 5; i++)
		CHECK(take(&m) == 60 && m == 10 + i);
	CHECK(take(&m) < 0);
}

#define THREADS 3
#define EACH 20000

static void *send_many(void *arg)
{
	uint8_t data[60];

	for (int i = 0; i < EACH; i++) {
		memset(data, *(char *)arg, sizeof(data));
		memcpy(data + 1, &i, sizeof(i));
		if (vde_send(c, data, sizeof(data), 0) != sizeof(data))
			return arg;
	}
	return NULL;
}

static void *hear_many(void *arg)
{
	uint8_t m;

	for (int i = 0; i < EACH; i++)
		if (hear(&m, 0) != 60)
			return arg;
	return NULL;
}

/* Plays the switch until all is said and heard. */
static bool serve_all(int next[THREADS])
{
	struct ring_record rec;
	uint8_t buf[60];
	int said = 0, given = 0, i;
	int64_t end = now_ms() + 20000;

	while ((said < THREADS * EACH || given < THREADS * EACH) &&
	       now_ms() < end) {
		switch_looks();
		if (take_as(buf, sizeof(buf), &rec) == 60) {
			memcpy(&i, buf + 1, sizeof(i));
			CHECK(buf[0] < THREADS && i == next[buf[0]]);
			next[buf[0] % THREADS] = i + 1;
			said++;
		}
		if (given < THREADS * EACH &&
		    give_as(buf, sizeof(buf), (struct ring_record){ 0 }))
			given++;
	}
	return said == THREADS * EACH && given == said;
}

static void threads_may_send_and_receive_all_at_once(void)
{
	pthread_t t[2 * THREADS];
	char name[THREADS];
	int next[THREADS] = { 0 };
	void *failed;

	for (int i = 0; i < THREADS; i++) {
		name[i] = (char)i;
		pthread_create(&t[2 * i], NULL, send_many, &name[i]);
		pthread_create(&t[2 * i + 1], NULL, hear_many, &name[i]);
	}
	CHECK(serve_all(next));
	for (int i = 0; i < 2 * THREADS; i++) {
		if (test_failed)
			pthread_cancel(t[i]);
		pthread_join(t[i], &failed);
		CHECK(!failed);
	}
	CHECK(!is(POLLIN, 0));
}

static const struct {
	const char *name;
	void (*fn)(void);
} both[] = {
#define BOTH(fn)        \
	{               \
#fn, fn \
	}
	BOTH(poll_and_select_tell_whether_there_is_a_frame),
	BOTH(edges_come_to_who_reads_to_the_end),
	BOTH(one_shots_are_armed_again_by_what_is_there),
	BOTH(who_does_not_want_to_wait_gets_eagain),
	BOTH(who_waits_is_woken_by_a_frame),
	BOTH(a_receive_timeout_is_heeded),
	BOTH(a_signal_ends_the_wait_unless_it_is_to_go_on),
	BOTH(a_full_network_takes_no_more),
	BOTH(so_does_one_whose_buffer_was_made_bigger),
	BOTH(who_waits_is_woken_by_room),
	BOTH(frames_keep_their_length_or_are_cut),
	BOTH(batches_take_what_is_there),
	BOTH(a_batch_is_taken_up_to_what_is_full),
	BOTH(the_end_of_the_switch_is_told),
	BOTH(after_fork_either_may_go_on),
	BOTH(threads_may_send_and_receive_all_at_once),
};

static void run_both(void)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(both); i++) {
		int before = test_failed;

		test_failed = 0;
		ring = i % 2;
		if (ring)
			open_ring(0, 0, SIZE);
		else
			open_dgram();
		both[i / 2].fn();
		finish();
		printf("%sok %d - %s: %s\n", test_failed ? "not " : "",
		       ++test_count, ring ? "ring" : "datagrams",
		       both[i / 2].name);
		test_failed |= before;
	}
}

/* --- rings alone --- */

#define ALL \
	(OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_ECN | OFFLOAD_USO)

/* 4000 bytes of TCP over IPv4 that are to be cut at 1000. */
static void make_tcp(uint8_t *f, size_t len)
{
	static const uint8_t head[] = {
		2,    0, 0, 0, 0,  1, 2, 0, 0,	0, 0, 2, 8,    0, /* Ethernet */
		0x45, 0, 0, 0, 0,  1, 0, 0, 64, 6, 0, 0, /* IPv4 */
		10,   0, 0, 1, 10, 0, 0, 2, /* addresses */
		0,    1, 0, 2, 0,  0, 0, 1, 0,	0, 0, 1, 0x50, 0x10,
		1,    0, 0, 0, 0,  0
	};

	memset(f, 0x55, len);
	memcpy(f, head, sizeof(head));
	f[16] = (uint8_t)((len - 14) >> 8);
	f[17] = (uint8_t)((len - 14) & 0xff);
}

static const struct ring_record tcp_record = {
	.flags = FRAME_NEEDS_CSUM,
	.gso_type = FRAME_GSO_TCPV4,
	.hdr_len = 54,
	.gso_size = 1000,
	.csum_start = 34,
	.csum_offset = 16,
};

static void offloads_go_both_ways(void)
{
	static uint8_t data[60000], buf[VDE_FRAME_MAX];
	struct vde_frame f = { .data = buf, .len = sizeof(buf) };
	struct ring_record rec;

	ring = true;
	open_ring(ALL, ALL, 8 * SIZE);
	CHECK(vde_offloads(c) == ALL);
	make_tcp(data, sizeof(data));
	CHECK(give_as(data, sizeof(data), tcp_record));
	CHECK(vde_recv_batch(c, &f, 1) == 1 && f.len == sizeof(data));
	CHECK(!memcmp(buf, data, sizeof(data)));
	CHECK(f.offload.flags == FRAME_NEEDS_CSUM &&
	      f.offload.gso_type == FRAME_GSO_TCPV4 &&
	      f.offload.hdr_len == 54 && f.offload.gso_size == 1000 &&
	      f.offload.csum_start == 34 && f.offload.csum_offset == 16);
	CHECK(vde_send_batch(c, &f, 1) == 1);
	CHECK(take_as(buf, sizeof(buf), &rec) == sizeof(data));
	rec.len = 0;
	CHECK(!memcmp(&rec, &tcp_record, sizeof(rec)));
	CHECK(!memcmp(buf, data, sizeof(data)));
	f.offload = (struct vde_offload){ 0 };
	CHECK(vde_send_batch(c, &f, 1) == -EMSGSIZE);
	f.len = 9000;
	CHECK(vde_send_batch(c, &f, 1) == 1);
	CHECK(take_as(buf, sizeof(buf), &rec) == 9000 && !rec.flags);
	finish();
}

static void a_frame_that_was_cut_has_no_offload(void)
{
	static uint8_t data[4054], buf[1000];
	struct vde_frame f = { .data = buf, .len = sizeof(buf) };

	open_ring(ALL, ALL, 8 * SIZE);
	make_tcp(data, sizeof(data));
	CHECK(give_as(data, sizeof(data), tcp_record));
	CHECK(vde_recv_batch(c, &f, 1) == 1 && f.len == sizeof(buf));
	CHECK(!f.offload.flags && !f.offload.gso_type);
	finish();
}

static void a_switch_may_send_no_offload_that_is_not_taken_or_not_true(void)
{
	static uint8_t data[4054], buf[VDE_FRAME_MAX];
	struct ring_record lie = tcp_record;
	struct pollfd p = { .events = POLLIN };

	lie.csum_start = 60000;
	make_tcp(data, sizeof(data));
	for (int i = 0; i < 3; i++) {
		static const unsigned int takes[] = { 0, OFFLOAD_CSUM, ALL };
		struct vde_frame f = { .data = buf, .len = sizeof(buf) };

		open_ring(takes[i], ALL, 8 * SIZE);
		give(60, 1);
		CHECK(give_as(data, sizeof(data), i == 2 ? lie : tcp_record));
		give(60, 1);
		CHECK(vde_recv_batch(c, &f, 1) == 1 && f.len == 60);
		f.len = sizeof(buf);
		CHECK(vde_recv_batch(c, &f, 1) == -EPROTO);
		CHECK(vde_recv_batch(c, &f, 1) == -EPROTO);
		p.fd = vde_ctlfd(c);
		CHECK(poll(&p, 1, 0) == 1 && !is(POLLIN, 0));
		p.fd = fd_ctl;
		CHECK(poll(&p, 1, 0) == 1);
		finish();
	}
}

static void frames_beyond_the_limit_are_refused(void)
{
	struct vde_frame f[2] = { { .data = (char[60]){ 0 }, .len = 60 } };
	static uint8_t data[ETHER_MAX_LEN + 1];
	uint8_t m;

	open_ring(0, 0, SIZE);
	CHECK(say(ETHER_MAX_LEN, 1, 0) == ETHER_MAX_LEN);
	CHECK(say(ETHER_MAX_LEN + 1, 1, 0) == -1 && errno == EMSGSIZE);
	CHECK(take(&m) == ETHER_MAX_LEN && take(&m) < 0);
	f[1] = (struct vde_frame){ data, sizeof(data), { 0 } };
	CHECK(vde_send_batch(c, f, 2) == 1 && take(&m) == 60);
	finish();
}

static void a_busy_ring_makes_no_system_calls(void)
{
	uint8_t m;

	open_ring(0, 0, SIZE);
	give(60, 1);
	take(&m); /* the switch is awake */
	ring_wait_cancel(&map.to_switch);
	got_kicks = 0;
	for (int i = 0; i < 200; i++) {
		struct ring_record rec;
		int err = 0;

		give(60, 1);
		CHECK(hear(&m, 0) == 60);
		CHECK(say(60, 1, 0) == 60);
		CHECK(ring_peek(&map.to_switch, &rec, &err));
		ring_take(&map.to_switch, &rec);
		ring_release(&map.to_switch);
	}
	switch_looks();
	CHECK(got_kicks == 0);
	finish();
}

static void who_waits_is_woken_by_the_end_of_the_switch(void)
{
	uint8_t m;
	pid_t pid;

	for (int full = 0; full < 2; full++) {
		open_ring(0, 0, SIZE);
		if (full)
			fill();
		pid = fork();
		if (pid == 0) {
			vde_close(c);
			usleep(A_WHILE_US);
			_exit(0);
		}
		switch_goes();
		if (full)
			CHECK(say(1000, 1, 0) == -1 && errno == ECONNREFUSED);
		else
			CHECK(hear(&m, 0) == -1 && errno == ECONNRESET);
		CHECK(is_done(pid));
		finish();
	}
}

int main(void)
{
	alarm(50);
	signal(SIGPIPE, SIG_DFL);
	run_both();
	ring = true;
	RUN(offloads_go_both_ways);
	RUN(a_frame_that_was_cut_has_no_offload);
	RUN(a_switch_may_send_no_offload_that_is_not_taken_or_not_true);
	RUN(frames_beyond_the_limit_are_refused);
	RUN(a_busy_ring_makes_no_system_calls);
	RUN(who_waits_is_woken_by_the_end_of_the_switch);
	DONE();
}
