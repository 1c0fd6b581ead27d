// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire_rate - how fast a wire lets frames through
 *
 * rate: in both directions at once there is always more on the way than passes
 * while the probe does not look (--window), so that the wire's own line is
 * never idle; its rate is the size of all that arrived between two moments of
 * arrival, by the time between them. A size has the two bytes of the header.
 * That begins when a tenth of the time has passed.
 *
 * flood: a process of its own sends what the pipe takes, L->R only. Arrivals
 * are counted from the end of the first tenth of the time on.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cli.h"
#include "wireprobe.h"

#define SILENCE (5 * PROBE_SEC) /* after which nothing will come any more */

/* One direction. */
struct flow {
	int to, from;
	size_t len;
	uint64_t window; /* frames */
	struct stream tx, rx;
	struct probe_tally tally;
	uint64_t sent;
	uint64_t first; /* arrived then */
	uint64_t warmup; /* ns, then it begins */
	uint64_t begin, end; /* arrivals */
	uint64_t before; /* how many had arrived by @begin */
	uint64_t least; /* frames on their way, after an arrival */
};

static void flow_init(struct flow *f, const struct subject *s, int d,
		      const struct probe_options *o)
{
	size_t size = (size_t)o->len + STREAM_HDR;

	*f = (struct flow){ .to = s->to[d],
			    .from = s->from[d],
			    .len = (size_t)o->len,
			    .least = UINT64_MAX,
			    .warmup = (uint64_t)o->ms * PROBE_MS / 10 };
	f->window = (uint64_t)o->window / size;
	if (f->window < 4)
		f->window = 4;
	probe_stream_init(&f->tx);
	probe_stream_init(&f->rx);
	probe_nonblock(f->from);
}

static uint64_t on_their_way(const struct flow *f)
{
	return f->sent - f->tally.next;
}

static bool wants_to_send(const struct flow *f)
{
	size_t pending;

	stream_pending(&f->tx, &pending);
	return pending || on_their_way(f) < f->window;
}

/* At most half of a buffer, so that others have their turn. */
static void flow_send(struct flow *f)
{
	uint8_t frame[STREAM_FRAME_MAX];
	size_t pending;

	stream_pending(&f->tx, &pending);
	while (pending < PROBE_BUF / 2 && on_their_way(f) < f->window) {
		probe_fill(frame, f->len, f->sent, 0);
		if (!stream_add(&f->tx, frame, f->len))
			break;
		f->sent++;
		pending += f->len + STREAM_HDR;
	}
	probe_flush(&f->tx, f->to);
}

static void flow_receive(struct flow *f)
{
	const uint8_t *frame;
	size_t len;
	uint64_t number, stamp;
	ssize_t n = probe_fill_stream(&f->rx, f->from);

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		die("unable to receive: the wire has ended");
	while ((frame = stream_next(&f->rx, &len))) {
		if (probe_read(&f->tally, frame, len, f->len, &number, &stamp))
			probe_count(&f->tally, number);
	}
	f->end = probe_now();
	if (!f->first)
		f->first = f->end;
	if (f->end - f->first < f->warmup)
		return;
	if (!f->begin) {
		f->begin = f->end;
		f->before = f->tally.got;
	}
	if (on_their_way(f) < f->least)
		f->least = on_their_way(f);
}

static void one_turn(struct flow *flows)
{
	struct pollfd fds[4];

	for (int d = 0; d < 2; d++) {
		struct flow *f = &flows[d];

		fds[2 * d] = (struct pollfd){ f->from, POLLIN, 0 };
		fds[2 * d + 1] = (struct pollfd){ wants_to_send(f) ? f->to : -1,
						  POLLOUT, 0 };
	}
	poll(fds, 4, 100);
	for (int d = 0; d < 2; d++) {
		if (fds[2 * d].revents)
			flow_receive(&flows[d]);
		if (fds[2 * d + 1].revents & POLLERR)
			die("unable to send: the wire has ended");
		if (fds[2 * d + 1].revents)
			flow_send(&flows[d]);
	}
}

static bool flow_done(const struct flow *f, uint64_t ns, uint64_t start,
		      uint64_t now)
{
	uint64_t last = f->end ? f->end : start;

	return (f->begin && f->end - f->begin >= ns) || now - last > SILENCE;
}

static void print_flow(const char *name, const struct flow *f)
{
	uint64_t frames = f->tally.got - f->before;
	double s = (double)(f->end - f->begin) / 1e9;
	double size = (double)(frames * (f->len + STREAM_HDR));
	uint64_t least = f->least * (f->len + STREAM_HDR);

	printf("\"%s\": {\"bytes_per_s\": %.3f, \"frames\": %llu, "
	       "\"seconds\": %.6f, \"lost\": %llu, \"doubled\": %llu, "
	       "\"damaged\": %llu, \"least_waiting\": %llu}",
	       name, s > 0 ? size / s : 0, (unsigned long long)frames, s,
	       (unsigned long long)f->tally.lost,
	       (unsigned long long)f->tally.doubled,
	       (unsigned long long)f->tally.damaged, (unsigned long long)least);
}

void wire_rate_mode(const struct probe_options *o)
{
	struct subject s;
	struct flow flows[2];
	uint64_t ns = (uint64_t)o->ms * PROBE_MS, start, now, cpu;

	subject_start(&s, o->command);
	subject_widen(&s, o->rate);
	for (int d = 0; d < 2; d++) {
		flow_init(&flows[d], &s, d, o);
		probe_nonblock(flows[d].to);
	}
	start = now = probe_now();
	while (!flow_done(&flows[0], ns, start, now) ||
	       !flow_done(&flows[1], ns, start, now)) {
		one_turn(flows);
		subject_check(&s);
		now = probe_now();
	}
	cpu = probe_cpu(s.pid);
	subject_stop(&s);
	printf("{");
	print_flow("lr", &flows[0]);
	printf(", ");
	print_flow("rl", &flows[1]);
	printf(", \"cpu_percent\": %.3f}\n",
	       100. * (double)cpu / (double)(now - start));
}

/* ---- flood ---- */

static void flood(int to, size_t len)
{
	struct stream tx;
	uint8_t frame[STREAM_FRAME_MAX];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	probe_stream_init(&tx);
	probe_fill(frame, len, 0, 0);
	for (uint64_t number = 0;; number++) {
		memcpy(frame + 14, &number, sizeof(number));
		if (tx.end - tx.start > PROBE_BUF / 2)
			probe_flush(&tx, to);
		stream_add(&tx, frame, len);
	}
}

static pid_t start_flood(const struct subject *s, size_t len)
{
	pid_t pid = fork();

	if (pid < 0)
		die("unable to fork: %s", strerror(errno));
	if (pid == 0)
		flood(s->to[0], len);
	return pid;
}

/* What comes until @end or for @SILENCE nothing; when that was. */
static uint64_t receive_until(struct flow *f, uint64_t end)
{
	struct pollfd p = { f->from, POLLIN, 0 };

	while (probe_now() < end) {
		if (poll(&p, 1, (int)(SILENCE / PROBE_MS)) == 0)
			die("unable to go on: nothing comes");
		flow_receive(f);
	}
	return probe_now();
}

void wire_flood_mode(const struct probe_options *o)
{
	struct subject s;
	struct flow f;
	uint64_t ns = (uint64_t)o->ms * PROBE_MS, begin, end, before, cpu;
	pid_t sender;
	double seconds, got;

	subject_start(&s, o->command);
	flow_init(&f, &s, 0, o);
	sender = start_flood(&s, f.len);
	begin = receive_until(&f, probe_now() + ns / 10);
	before = f.tally.got;
	cpu = probe_cpu(s.pid);
	end = receive_until(&f, begin + ns);
	cpu = probe_cpu(s.pid) - cpu;
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	subject_stop(&s);
	seconds = (double)(end - begin) / 1e9;
	got = (double)(f.tally.got - before);
	printf("{\"received_per_s\": %.1f, \"got\": %llu, \"lost\": %llu, "
	       "\"doubled\": %llu, \"damaged\": %llu, "
	       "\"cpu_ns_per_frame\": %.1f}\n",
	       got / seconds, (unsigned long long)f.tally.got,
	       (unsigned long long)f.tally.lost,
	       (unsigned long long)f.tally.doubled,
	       (unsigned long long)f.tally.damaged,
	       got > 0 ? (double)cpu / got : 0);
}
