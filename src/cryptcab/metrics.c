// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All figures for Prometheus. Times are in seconds, as is its custom.
 */
#include "common/metrics.h"

#include <math.h>

#include "cryptcab/cmd.h"
#include "cryptcab/udp.h"

/* What is being said, and of whom. */
struct telling {
	struct metrics m;
	const struct cryptcab *cab;
	const struct cab_peer *p; /* NULL: of the whole */
	struct tunnel_info in; /* of @p */
};

struct cab_metric {
	const char *name; /* without the prefix */
	enum metric_type type;
	const char *help;
	void (*emit)(struct telling *);
	bool once; /* of the whole, else of each peer */
};

static void begin(struct telling *t, const char *label, const char *value)
{
	if (t->p)
		metrics_label(&t->m, "peer", t->p->name);
	if (label)
		metrics_label(&t->m, label, value);
}

static void sample(struct telling *t, const char *label, const char *value,
		   uint64_t n)
{
	begin(t, label, value);
	metrics_value(&t->m, n);
}

static void seconds(struct telling *t, uint64_t ns, bool known)
{
	begin(t, NULL, NULL);
	metrics_real(&t->m,
		     known ? (double)ns / (double)LOOP_SEC : (double)NAN);
}

/* ---- of the process ---- */

static void info(struct telling *t)
{
	sample(t, "version", VDE_VERSION, 1);
}

static void peers(struct telling *t)
{
	sample(t, NULL, NULL, t->cab->n_peers);
}

static void peers_up(struct telling *t)
{
	uint64_t n = 0;

	list_for_each(pos, &t->cab->peers)
		n += list_entry(pos, struct cab_peer, node)->up_since != 0;
	sample(t, NULL, NULL, n);
}

static void datagrams(struct telling *t)
{
	sample(t, "result", "taken",
	       tunnel_counts(t->cab->tunnel)[TUNNEL_TAKEN]);
	for (int i = TUNNEL_BAD_LENGTH; i < TUNNEL_TX_NO_SESSION; i++)
		sample(t, "result", tunnel_count_name(i),
		       tunnel_counts(t->cab->tunnel)[i]);
}

static void cookies(struct telling *t)
{
	sample(t, NULL, NULL, tunnel_counts(t->cab->tunnel)[TUNNEL_COOKIES]);
}

static void udp(struct telling *t)
{
	for (int i = 0; i < UDP_N_COUNTS; i++)
		sample(t, "what", udp_count_name(i),
		       udp_counts(t->cab->udp)[i]);
}

/* ---- of a peer ---- */

static void up(struct telling *t)
{
	sample(t, NULL, NULL, t->p->up_since != 0);
}

static void ups(struct telling *t)
{
	sample(t, NULL, NULL, t->p->ups);
}

static void sessions(struct telling *t)
{
	sample(t, NULL, NULL, t->in.counts[TUNNEL_SESSIONS]);
}

static void handshake_age(struct telling *t)
{
	seconds(t, t->in.session_age, t->p->up_since);
}

static void heard(struct telling *t)
{
	seconds(t, t->in.heard_ago, t->in.heard_ago);
}

static void round_trip(struct telling *t)
{
	seconds(t, t->in.rtt, t->in.rtt);
}

static void datagram(struct telling *t)
{
	sample(t, NULL, NULL, t->in.datagram);
}

static void frames(struct telling *t)
{
	sample(t, "way", "in", t->in.counts[TUNNEL_RX_FRAMES]);
	sample(t, "way", "out", t->in.counts[TUNNEL_TX_FRAMES]);
}

static void bytes(struct telling *t)
{
	sample(t, "way", "in", t->in.counts[TUNNEL_RX_BYTES]);
	sample(t, "way", "out", t->in.counts[TUNNEL_TX_BYTES]);
}

static void rejected(struct telling *t)
{
	for (int i = TUNNEL_BAD_LENGTH; i < TUNNEL_N_COUNTS; i++)
		sample(t, "cause", tunnel_count_name(i), t->in.counts[i]);
}

static void drops(struct telling *t)
{
	for (int i = 0; i < CAB_N_DROPS; i++)
		sample(t, "cause", cab_drop_name(i), t->p->drops[i]);
}

static void denied(struct telling *t)
{
	static const char *const ways[] = { "in", "out" };

	for (int d = 0; t->p->admit && d < ADMIT_N_DIRS; d++) {
		const struct admit_count *c = admit_counts(t->p->admit, d);

		for (int v = ADMIT_PASS + 1; v < ADMIT_N_VERDICTS; v++) {
			begin(t, "way", ways[d]);
			metrics_label(&t->m, "cause", admit_verdict_name(v));
			metrics_value(&t->m, c[v].frames);
		}
	}
}

/* clang-format off */
static const struct cab_metric rows[] = {
	{ "info", METRIC_GAUGE, "1, and the version", info, true },
	{ "peers", METRIC_GAUGE, "peers that are known", peers, true },
	{ "peers_up", METRIC_GAUGE, "those that are up", peers_up, true },
	{ "datagrams_total", METRIC_COUNTER, "datagrams that came, and what became of them", datagrams, true },
	{ "cookies_total", METRIC_COUNTER, "cookie replies", cookies, true },
	{ "udp_total", METRIC_COUNTER, "what the sockets did", udp, true },
	{ "peer_up", METRIC_GAUGE, "1 if it is up", up, false },
	{ "peer_ups_total", METRIC_COUNTER, "how often it came up", ups, false },
	{ "peer_sessions_total", METRIC_COUNTER, "handshakes that made a session", sessions, false },
	{ "peer_handshake_age_seconds", METRIC_GAUGE, "since the last of these", handshake_age, false },
	{ "peer_heard_seconds", METRIC_GAUGE, "since the last datagram", heard, false },
	{ "peer_round_trip_seconds", METRIC_GAUGE, "to it and back", round_trip, false },
	{ "peer_datagram_bytes", METRIC_GAUGE, "the longest that the path takes", datagram, false },
	{ "peer_frames_total", METRIC_COUNTER, "frames", frames, false },
	{ "peer_bytes_total", METRIC_COUNTER, "their bytes", bytes, false },
	{ "peer_rejected_total", METRIC_COUNTER, "datagrams and frames that were rejected", rejected, false },
	{ "peer_drops_total", METRIC_COUNTER, "frames that were dropped", drops, false },
	{ "peer_denied_total", METRIC_COUNTER, "frames that the peers file forbids", denied, false },
};
/* clang-format on */

static void tell(struct telling *t, const struct cab_metric *r)
{
	t->p = NULL;
	if (r->once) {
		r->emit(t);
		return;
	}
	list_for_each(pos, &t->cab->peers) {
		t->p = list_entry(pos, struct cab_peer, node);
		tunnel_peer_info(t->p->tp, cab_now(), &t->in);
		r->emit(t);
	}
}

void cab_metrics(const struct cryptcab *cab, struct writer *out)
{
	struct telling t = { .m = { .w = out, .prefix = "cryptcab_" },
			     .cab = cab };

	writer_list(out, "metrics");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		metrics_begin(&t.m, rows[i].name, rows[i].type, rows[i].help);
		tell(&t, &rows[i]);
		metrics_end(&t.m);
	}
	writer_close(out);
}
