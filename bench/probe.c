// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probe - what stations miss, get twice or out of order while a network heals
 *
 * --tx is where a sender is, which sends two numbered frames in every
 * millisecond: a broadcast, and one to the first of the stations; these only
 * listen, at the locators behind the mode's name. A station spoke once, so
 * where it is must be found out anew, not be learned from what it says.
 *
 * Says "ready" when all have heard both. A line on standard input is answered
 * by what happened since then, or since the last line "begin"; the end of the
 * input is the end. The longest gap is between two arrivals, or up to now;
 * that of the sender tells how much of it is this machine's.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/ether.h"
#include "common/cli.h"
#include "load.h"

#define PERIOD LOAD_MS
#define STATIONS_MAX 32
#define NUMBERS (1u << 20) /* then the sender ends: 17 minutes */
#define PROBE_LEN 64
#define AT_KIND ETHER_HDR_LEN
#define AT_NUMBER (ETHER_HDR_LEN + 1)
#define AT_TIME (ETHER_HDR_LEN + 5)

enum kind {
	BROADCAST,
	UNICAST,
	N_KINDS
};

static const char *const kind_name[] = { "broadcast", "unicast" };

struct sender {
	struct counter sent; /* of each kind; numbers begin at 0 */
	struct counter gap; /* ns, the longest between two */
};

struct probe {
	const struct load_options *o;
	struct sender *sender;
};

/* Of one kind at one station, from number @first on. */
struct tally {
	uint64_t seen[BITS_WORDS(NUMBERS)];
	uint32_t first, next; /* the highest that was seen is next - 1 */
	uint64_t got, duplicates, reordered;
	uint64_t last, gap, late; /* ns */
};

struct station {
	VDECONN *conn;
	uint64_t addr;
	struct tally tally[N_KINDS];
};

static size_t n_stations;
static struct station *stations[STATIONS_MAX];
static struct pollfd fds[STATIONS_MAX + 1]; /* the last one is stdin */

/* ---- the sender ---- */

static void sleep_until(uint64_t ns)
{
	const struct timespec ts = { (time_t)(ns / LOAD_SEC),
				     (long)(ns % LOAD_SEC) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}

static void send_probe(VDECONN *c, enum kind kind, uint32_t n, uint64_t now)
{
	uint8_t frame[PROBE_LEN];

	load_fill(frame, sizeof(frame),
		  kind == UNICAST ? LOAD_RX_ADDR : LOAD_BROADCAST,
		  LOAD_TX_ADDR);
	frame[AT_KIND] = kind;
	memcpy(frame + AT_NUMBER, &n, sizeof(n));
	memcpy(frame + AT_TIME, &now, sizeof(now));
	load_send(c, frame, sizeof(frame));
}

/* One that was late does not hurry. */
static void send_all(void *ctx)
{
	const struct probe *p = ctx;
	VDECONN *c = load_open(p->o->tx);
	uint64_t next = load_now(), last = next, now;

	for (uint32_t n = 0; n < NUMBERS; n++) {
		sleep_until(next);
		now = load_now();
		if (now - last > counter_get(&p->sender->gap))
			counter_set(&p->sender->gap, now - last);
		last = now;
		for (enum kind k = 0; k < N_KINDS; k++)
			send_probe(c, k, n, now);
		counter_set(&p->sender->sent, n + 1);
		next = now > next + PERIOD ? now : next + PERIOD;
	}
}

/* ---- the stations ---- */

static void count(struct tally *t, uint32_t n, uint64_t sent, uint64_t now)
{
	if (n < t->first || n >= NUMBERS)
		return;
	if (bits_test(t->seen, n)) {
		t->duplicates++;
		return;
	}
	bits_set(t->seen, n);
	t->got++;
	if (n < t->next)
		t->reordered++;
	else
		t->next = n + 1;
	if (now - t->last > t->gap)
		t->gap = now - t->last;
	if (now - sent > t->late)
		t->late = now - sent;
	t->last = now;
}

/* A station whose switch has ended hears nothing any more. */
static void hear(struct station *st, struct pollfd *p)
{
	uint8_t frame[LOAD_FRAME_MAX];
	uint64_t sent, now = load_now();
	uint32_t n;
	ssize_t len = vde_recv(st->conn, frame, sizeof(frame), 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		p->fd = -1;
		return;
	}
	if (!load_is_ours(frame, len) || len < PROBE_LEN ||
	    frame[AT_KIND] >= N_KINDS ||
	    (frame[AT_KIND] == UNICAST && ether_addr(frame) != st->addr))
		return;
	memcpy(&n, frame + AT_NUMBER, sizeof(n));
	memcpy(&sent, frame + AT_TIME, sizeof(sent));
	count(&st->tally[frame[AT_KIND]], n, sent, now);
}

/* Until something can be read from standard input, or all have heard of all
 * kinds if @ready. */
static void listen_until(bool ready)
{
	for (;;) {
		bool all = ready;

		poll(fds, (nfds_t)n_stations + 1, -1);
		for (size_t i = 0; i < n_stations; i++) {
			if (fds[i].fd >= 0 && fds[i].revents)
				hear(stations[i], &fds[i]);
			all &= stations[i]->tally[BROADCAST].got > 0;
		}
		if (all && stations[0]->tally[UNICAST].got > 0)
			return;
		if (fds[n_stations].revents)
			return;
	}
}

/* What is on its way now may still arrive, and does not count. */
static void begin(struct sender *s)
{
	uint32_t first = (uint32_t)counter_get(&s->sent) + 1;
	uint64_t now = load_now();

	for (size_t i = 0; i < n_stations; i++)
		for (enum kind k = 0; k < N_KINDS; k++) {
			struct tally *t = &stations[i]->tally[k];

			memset(t, 0, sizeof(*t));
			t->first = t->next = first;
			t->last = now;
		}
	counter_set(&s->gap, 0);
}

static void print_tally(enum kind kind, const struct tally *t, uint64_t now)
{
	uint64_t idle = now - t->last;

	printf("%s\"%s\": {\"got\": %llu, \"lost\": %llu, "
	       "\"duplicates\": %llu, \"reordered\": %llu, \"gap_ms\": %.3f, "
	       "\"idle_ms\": %.3f, \"late_ms\": %.3f}",
	       kind ? ", " : "", kind_name[kind], (unsigned long long)t->got,
	       (unsigned long long)(t->next - t->first - t->got),
	       (unsigned long long)t->duplicates,
	       (unsigned long long)t->reordered,
	       (double)(idle > t->gap ? idle : t->gap) / 1e6,
	       (double)idle / 1e6, (double)t->late / 1e6);
}

/* @lost: of those before the last that was heard. */
static void print_all(const struct sender *s)
{
	uint64_t now = load_now();

	printf("{\"sent\": %llu, \"sender_gap_ms\": %.3f, \"stations\": [",
	       (unsigned long long)counter_get(&s->sent),
	       (double)counter_get(&s->gap) / 1e6);
	for (size_t i = 0; i < n_stations; i++) {
		printf(i ? ", {" : "{");
		print_tally(BROADCAST, &stations[i]->tally[BROADCAST], now);
		if (i == 0)
			print_tally(UNICAST, &stations[i]->tally[UNICAST], now);
		printf("}");
	}
	printf("]}\n");
	fflush(stdout);
}

/* A line that was written at once; false: the input has ended. */
static bool take_line(char *line, size_t size)
{
	ssize_t n = read(STDIN_FILENO, line, size - 1);

	if (n <= 0)
		return false;
	line[n] = '\0';
	return true;
}

static struct station *station_new(const char *locator, uint64_t addr)
{
	struct station *st = calloc(1, sizeof(*st));

	if (!st)
		die("unable to start: %s", strerror(ENOMEM));
	st->conn = load_open(locator);
	st->addr = addr;
	load_announce(st->conn, addr, 1);
	return st;
}

void probe_mode(const struct load_options *o)
{
	struct probe p = { o, load_shared(sizeof(struct sender)) };
	char line[64];

	load_fork(send_all, &p);
	for (; o->command[n_stations]; n_stations++) {
		size_t i = n_stations;

		if (i == STATIONS_MAX)
			cli_usage("at most %d stations", STATIONS_MAX);
		stations[i] = station_new(o->command[i], LOAD_RX_ADDR + i);
		fds[i] = (struct pollfd){ vde_datafd(stations[i]->conn), POLLIN,
					  0 };
	}
	if (!n_stations)
		cli_usage("a station is missing");
	fds[n_stations] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	begin(p.sender);
	listen_until(true);
	if (!fds[n_stations].revents) {
		printf("{\"ready\": %zu}\n", n_stations);
		fflush(stdout);
	}
	begin(p.sender);
	for (;;) {
		listen_until(false);
		if (!take_line(line, sizeof(line)))
			break;
		print_all(p.sender);
		if (strcmp(line, "begin\n") == 0)
			begin(p.sender);
	}
	_exit(EXIT_SUCCESS); /* the kernel closes what is open */
}
