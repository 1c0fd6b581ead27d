// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about mirrors.
 */
#include <errno.h>
#include <string.h>

#include "switch/cmd.h"
#include "switch/metrics_sets.h"
#include "switch/mirror.h"

static struct mirrors *mirrors_of(void *ctx)
{
	return ((struct vswitch *)ctx)->mirrors;
}

static const char *reason(const struct vswitch *sw, unsigned int src,
			  unsigned int dst, int rc)
{
	if (rc == -ENXIO && !bridge_port(sw->br, src))
		return "SRC is no port, see port/create";
	if (rc == -ENXIO)
		return "DST is no port, see port/create";
	if (rc == -EEXIST)
		return "there is such a mirror";
	if (rc != -EINVAL)
		return strerror(-rc);
	if (src > sw->br->numports || dst > sw->br->numports)
		return "there cannot be such a port, see port/setnumports";
	return src == dst ? "SRC and DST are one port"
			  : "DIR is none of in, out, both";
}

static int cmd_add(struct mgmt_req *rq, void *ctx)
{
	unsigned int src = (unsigned int)rq->arg[0].num;
	unsigned int dst = (unsigned int)rq->arg[1].num;
	const char *what = rq->arg[2].str;
	bool both = !strcmp(what, "both");
	int rc = mirror_add(mirrors_of(ctx), src, dst,
			    both || !strcmp(what, "in"),
			    both || !strcmp(what, "out"));

	if (rc) {
		writer_str(rq->w, "reason",
			   "unable to mirror: ", reason(ctx, src, dst, rc), 0);
		writer_line(rq->w);
	}
	return rc;
}

static int cmd_del(struct mgmt_req *rq, void *ctx)
{
	return mirror_del(mirrors_of(ctx), (unsigned int)rq->arg[0].num,
			  (unsigned int)rq->arg[1].num);
}

static void show(struct writer *w, const struct mirror *m)
{
	const char *what = m->in ? m->out ? "both" : "in" : "out";

	writer_open(w, NULL);
	writer_num(w, "src", "Port ", m->src, 4);
	writer_num(w, "dst", " -> Port ", m->dst, 4);
	writer_str(w, "what", " ", what, 4);
	writer_num(w, "frames", " pkts ", (int64_t)m->frames, -10);
	writer_num(w, "bytes", " bytes ", (int64_t)m->bytes, -20);
	writer_num(w, "missed", " missed ", (int64_t)m->missed, -10);
	writer_line(w);
	writer_close(w);
}

/* more[]: the source and destination to go on at. */
static int cmd_list(struct mgmt_req *rq, void *ctx)
{
	const struct mirrors *all = mirrors_of(ctx);
	const struct mirror *m;

	if (!rq->again)
		writer_list(rq->w, "mirrors");
	while ((m = mirror_from(all, (unsigned int)rq->more[0],
				(unsigned int)rq->more[1]))) {
		if (mgmt_pause(rq))
			return MGMT_MORE;
		show(rq->w, m);
		rq->more[0] = m->src;
		rq->more[1] = m->dst + 1U;
	}
	writer_close(rq->w);
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "mirror", "============", "MIRROR MENU", NULL, false },
	{ "mirror/add <port> <port> <word>", "SRC DST DIR", "copy what passes port SRC to port DST: in|out|both", cmd_add, false },
	{ "mirror/del <port> <port>", "SRC DST", "end the copies of port SRC to port DST", cmd_del, false },
	{ "mirror/list", "", "list the mirrors and what they copied", cmd_list, true },
};
/* clang-format on */
const struct mgmt_table mirror_table = { cmds, ARRAY_SIZE(cmds) };

/* ---- metrics ---- */

/* An item is the source, and the destination in 16 bits. */
static uint64_t next_mirror(const struct vswitch *sw, uint64_t from)
{
	const struct mirror *m = mirror_from(
		sw->mirrors, (unsigned int)(from >> 16), from & 0xffff);

	return m ? (uint64_t)m->src << 16 | m->dst : METRIC_END;
}

/* arg: where it is in struct mirror. */
static void counter(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	const struct mirror *mi = mirror_from(
		sw->mirrors, (unsigned int)(item >> 16), item & 0xffff);

	metrics_label_num(m, "src", mi->src);
	metrics_label_num(m, "dst", mi->dst);
	metrics_value_in(m, mi);
}

#define IN_MIRROR(field) counter, offsetof(struct mirror, field)

/* clang-format off */
static const struct metric rows[] = {
	{ "mirror_frames_total", METRIC_COUNTER, "Frames copied.", next_mirror, IN_MIRROR(frames) },
	{ "mirror_bytes_total", METRIC_COUNTER, "Bytes copied.", next_mirror, IN_MIRROR(bytes) },
	{ "mirror_missed_total", METRIC_COUNTER, "Frames not copied because there was nobody to send them to.", next_mirror, IN_MIRROR(missed) },
};
/* clang-format on */
const struct metric_set mirror_metrics = { rows, ARRAY_SIZE(rows) };
