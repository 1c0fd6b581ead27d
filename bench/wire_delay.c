// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire_delay - how late frames are behind the delay that was asked for
 *
 * A sender puts frames in at a steady rate, at irregular moments, each with the
 * time right before the call that hands it over; a receiver, another process, looks at the clock
 * as soon as it has it. The error is arrival - departure - delay; a sender
 * that is late is late with the departure, too. If the call itself took long,
 * because the machine took the processor away, it is not known when its frames
 * went: these are left out and counted ("unsure"), and so are the frames of
 * the first 50 ms.
 *
 * What cannot be told apart is the time from a frame's being there until the
 * receiver runs. Measure mere pipes to see how much that is.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "common/cli.h"
#include "lib/libvdeplug.h"
#include "wireprobe.h"

#define WARMUP (50 * PROBE_MS)
#define HELLO_EVERY (20 * PROBE_MS)
#define PATIENCE (10 * PROBE_SEC)
#define MUST_TAKE (30 * UINT64_C(1000)) /* ns, a call; else it is unsure */
#define AT_ONCE 64 /* frames of one call */

struct shared {
	_Atomic bool heard; /* a hello arrived: begin */
	_Atomic uint64_t sent;
	_Atomic bool done;
	uint64_t begin;
	bool unsure[]; /* by number */
};

struct probe {
	const struct probe_options *o;
	struct subject subject;
	VDECONN *right;
	struct shared *shared;
	uint64_t n; /* frames to send */
	size_t len;
	/* receiver */
	struct stream rx;
	struct probe_tally tally;
	double *error_us; /* by number, NAN: not measured */
	uint64_t n_unsure;
	/* from the first arrival to the last departure */
	pid_t wire;
	uint64_t cpu, begin, before;
	double cpu_percent, cpu_ns;
};

static VDECONN *open_side(const char *locator)
{
	char path[256];
	VDECONN *c = NULL;

	/* vde_open() takes a char *, and does not write to it. */
	if (strlen(locator) < sizeof(path)) {
		memcpy(path, locator, strlen(locator) + 1);
		c = vde_open(path, (char[]){ "wireprobe" }, NULL);
	}
	if (!c)
		die("unable to connect to %s: %s", locator, strerror(errno));
	return c;
}

/* ---- the sender ---- */

struct sender {
	const struct probe *p;
	VDECONN *left; /* or NULL */
	struct stream tx;
	uint8_t frame[STREAM_FRAME_MAX];
};

static void send_frames(struct sender *s, uint64_t first, uint64_t n)
{
	const struct probe *p = s->p;
	uint64_t stamp = probe_now(), took;

	for (uint64_t i = 0; i < n; i++) {
		probe_fill(s->frame, p->len,
			   first == PROBE_HELLO ? first : first + i, stamp);
		if (s->left)
			vde_send(s->left, s->frame, p->len, 0);
		else
			stream_add(&s->tx, s->frame, p->len);
	}
	if (!s->left)
		probe_flush(&s->tx, p->subject.to[0]);
	took = probe_now() - stamp;
	if (took < MUST_TAKE || first == PROBE_HELLO)
		return;
	memset(p->shared->unsure + first, true, n);
}

static void send_hellos(struct sender *s)
{
	uint64_t at = probe_now(), end = at + PATIENCE;

	while (!atomic_load(&s->p->shared->heard)) {
		if (at > end)
			die("unable to begin: nothing arrives");
		send_frames(s, PROBE_HELLO, 1);
		at += HELLO_EVERY;
		probe_sleep_until(at);
	}
}

/* When frame @i is to go: somewhere in its share of the time, so that what
 * happens at whole milliseconds is met as often as it must be. */
static uint64_t time_of(const struct probe *p, uint64_t i, struct rng *rng)
{
	uint64_t rate = (uint64_t)p->o->rate;

	return p->shared->begin + i * PROBE_SEC / rate +
	       rng_below(rng, PROBE_SEC / rate);
}

/* Frame @i, and those behind it whose share of the time is over, too. */
static uint64_t due_now(const struct probe *p, uint64_t i)
{
	uint64_t due = (probe_now() - p->shared->begin) * (uint64_t)p->o->rate /
		       PROBE_SEC;

	if (due > p->n)
		due = p->n;
	if (due <= i)
		return 1;
	return due - i < AT_ONCE ? due - i : AT_ONCE;
}

static void send_all(const struct probe *p)
{
	struct sender *s = calloc(1, sizeof(*s));
	struct shared *sh = p->shared;
	struct rng rng;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!s)
		die("unable to allocate");
	s->p = p;
	if (p->o->left)
		s->left = open_side(p->o->left);
	probe_stream_init(&s->tx);
	send_hellos(s);
	sh->begin = probe_now() + PROBE_MS;
	rng_init(&rng, 1);
	for (uint64_t i = 0, n; i < p->n; i += n) {
		probe_sleep_until(time_of(p, i, &rng));
		n = due_now(p, i);
		send_frames(s, i, n);
		atomic_store(&sh->sent, i + n);
	}
	atomic_store(&sh->done, true);
	pause(); /* the wire goes on while its pipes are open */
	_exit(EXIT_SUCCESS);
}

/* ---- the receiver ---- */

static void take(struct probe *p, const uint8_t *frame, size_t len,
		 uint64_t now)
{
	uint64_t number, stamp;

	if (!probe_read(&p->tally, frame, len, p->len, &number, &stamp))
		return;
	if (number == PROBE_HELLO) {
		atomic_store(&p->shared->heard, true);
		return;
	}
	probe_count(&p->tally, number);
	if (number >= p->n || stamp < p->shared->begin + WARMUP)
		return;
	p->error_us[number] =
		((double)(now - stamp) - (double)p->o->delay_us * 1e3) / 1e3;
}

static void receive_stream(struct probe *p)
{
	const uint8_t *frame;
	size_t len;
	ssize_t n = probe_fill_stream(&p->rx, p->subject.from[0]);
	uint64_t now = probe_now();

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		die("unable to receive: the wire has ended");
	while ((frame = stream_next(&p->rx, &len)))
		take(p, frame, len, now);
}

static void receive_conn(struct probe *p)
{
	uint8_t frame[VDE_ETHBUFSIZE];
	ssize_t n = vde_recv(p->right, frame, sizeof(frame), MSG_DONTWAIT);
	uint64_t now = probe_now();

	if (n == 0)
		die("unable to receive: the switch has gone");
	if (n > 1)
		take(p, frame, (size_t)n, now);
}

static bool all_came(const struct probe *p)
{
	return atomic_load(&p->shared->done) && p->tally.next == p->n;
}

static void begin_cpu(struct probe *p)
{
	p->begin = probe_now();
	p->cpu = probe_cpu(p->wire);
	p->before = p->tally.got;
}

static void end_cpu(struct probe *p)
{
	double cpu = (double)(probe_cpu(p->wire) - p->cpu);
	uint64_t frames = p->tally.got - p->before;

	if (!p->begin || !frames)
		return;
	p->cpu_percent = 100 * cpu / (double)(probe_now() - p->begin);
	p->cpu_ns = cpu / (double)frames;
}

static void receive(struct probe *p)
{
	bool done = atomic_load(&p->shared->done);

	if (p->right)
		receive_conn(p);
	else
		receive_stream(p);
	if (!p->begin && p->tally.got)
		begin_cpu(p);
	else if (!done)
		end_cpu(p);
}

/* Until all have come, or no more can. */
static void receive_all(struct probe *p)
{
	struct pollfd f = { p->right ? vde_datafd(p->right)
				     : p->subject.from[0],
			    POLLIN, 0 };
	uint64_t end = 0, patience = 2 * (uint64_t)p->o->delay_us * 1000;

	patience += PROBE_SEC / 2;
	while (!all_came(p)) {
		if (poll(&f, 1, 20) > 0) {
			receive(p);
			continue;
		}
		subject_check(&p->subject);
		if (waitpid(-1, NULL, WNOHANG) > 0)
			die("unable to go on: the sender has ended");
		if (!atomic_load(&p->shared->done))
			continue;
		if (!end)
			end = probe_now() + patience;
		if (probe_now() > end)
			break;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *v, uint64_t n, double q)
{
	uint64_t i = (uint64_t)(q * (double)n);

	return n ? v[i < n ? i : n - 1] : NAN;
}

static void print_number(const char *name, double x)
{
	if (isnan(x))
		printf("\"%s\": null, ", name);
	else
		printf("\"%s\": %.3f, ", name, x);
}

/* Leaves what was measured and is sure at the front; how many these are. */
static uint64_t keep_measured(struct probe *p)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < p->n; i++) {
		if (isnan(p->error_us[i]))
			continue;
		if (p->shared->unsure[i])
			p->n_unsure++;
		else
			p->error_us[n++] = p->error_us[i];
	}
	return n;
}

/* Quantiles of the error as it is, then of how large it is. */
static void print_result(struct probe *p)
{
	double *e = p->error_us;
	uint64_t n = keep_measured(p);

	qsort(e, n, sizeof(*e), by_value);
	printf("{");
	print_number("earliest_us", quantile(e, n, 0));
	print_number("signed_p50_us", quantile(e, n, 0.5));
	print_number("signed_p99_us", quantile(e, n, 0.99));
	print_number("latest_us", quantile(e, n, 1));
	for (uint64_t i = 0; i < n; i++)
		e[i] = fabs(e[i]);
	qsort(e, n, sizeof(*e), by_value);
	print_number("p50_us", quantile(e, n, 0.5));
	print_number("p90_us", quantile(e, n, 0.9));
	print_number("p99_us", quantile(e, n, 0.99));
	printf("\"measured\": %llu, \"unsure\": %llu, \"sent\": %llu, "
	       "\"lost\": %llu, \"doubled\": %llu, \"damaged\": %llu, "
	       "\"cpu_percent\": %.2f, \"cpu_ns_per_frame\": %.1f}\n",
	       (unsigned long long)n, (unsigned long long)p->n_unsure,
	       (unsigned long long)p->n,
	       (unsigned long long)(p->n - p->tally.got),
	       (unsigned long long)p->tally.doubled,
	       (unsigned long long)p->tally.damaged, p->cpu_percent, p->cpu_ns);
}

void wire_delay_mode(const struct probe_options *o)
{
	struct probe p = { .o = o, .len = (size_t)o->len };
	pid_t sender;

	if (p.len < PROBE_LEN_STAMPED)
		cli_usage("a frame of %zu bytes has no room for a time", p.len);
	p.n = (uint64_t)o->rate * (uint64_t)o->ms / 1000;
	p.shared = probe_shared(sizeof(*p.shared) + p.n);
	p.error_us = calloc(p.n, sizeof(*p.error_us));
	if (!p.error_us)
		die("unable to allocate");
	for (uint64_t i = 0; i < p.n; i++)
		p.error_us[i] = NAN;
	probe_stream_init(&p.rx);
	if (o->left) {
		p.right = open_side(o->right);
	} else {
		subject_start(&p.subject, o->command);
		probe_nonblock(p.subject.from[0]);
	}
	p.wire = o->left ? (pid_t)o->pid : p.subject.pid;
	sender = fork();
	if (sender < 0)
		die("unable to fork: %s", strerror(errno));
	if (sender == 0)
		send_all(&p);
	receive_all(&p);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	subject_stop(&p.subject);
	print_result(&p);
}
