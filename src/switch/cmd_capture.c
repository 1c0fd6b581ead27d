// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about captures of frames.
 */
#include <errno.h>
#include <string.h>

#include "switch/capture.h"
#include "switch/cmd.h"
#include "switch/metrics_sets.h"

static void show_spec(struct writer *w, const struct capspec *cs)
{
	if (cs->port >= 0)
		writer_num(w, "port", " port ", cs->port, 0);
	else
		writer_str(w, "port", NULL, NULL, 0);
	if (cs->vlan >= 0)
		writer_num(w, "vlan", " vlan ", cs->vlan, 0);
	else
		writer_str(w, "vlan", NULL, NULL, 0);
	writer_str(w, "direction", " direction ",
		   capture_direction_name(cs->direction), 0);
	writer_num(w, "snaplen", " snaplen ", cs->snaplen, 0);
	if (cs->count)
		writer_num(w, "count", " count ", (int64_t)cs->count, 0);
	else
		writer_str(w, "count", NULL, NULL, 0);
	writer_str(w, "filter", cs->filter[0] ? " filter \"" : NULL,
		   cs->filter[0] ? cs->filter : NULL, 0);
	writer_text(w, cs->filter[0] ? "\"" : "");
	writer_line(w);
}

static void show(struct writer *w, const struct capture_info *i)
{
	writer_open(w, NULL);
	writer_num(w, "id", "Capture ", i->id, 0);
	writer_str(w, "state", " ", capture_state_name(i->state), 0);
	if (i->error)
		writer_str(w, "reason", " (", strerror(i->error), 0);
	else
		writer_str(w, "reason", NULL, NULL, 0);
	writer_text(w, i->error ? ") to " : " to ");
	writer_str(w, "kind", "", captarget_kind_name(i->target.kind), 0);
	writer_str(w, "target", " ", i->spec.target, 0);
	writer_line(w);
	writer_text(w, " ");
	show_spec(w, &i->spec);
	writer_num(w, "packets", "  packets ", (int64_t)i->packets, 0);
	writer_num(w, "bytes", " bytes ", (int64_t)i->bytes, 0);
	writer_num(w, "lost", " lost ", (int64_t)i->lost, 0);
	writer_line(w);
	writer_close(w);
}

static int cmd_start(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;
	const struct capture_info *i;
	struct capspec cs;
	char text[512];
	struct strbuf why;
	int rc = -EINVAL;

	strbuf_init(&why, text, sizeof(text));
	if (capspec_parse(&cs, rq->arg[0].str, &why))
		rc = capture_start(sw, &cs, &why);
	if (rc < 0) {
		writer_str(rq->w, "reason", "unable to capture: ", text, 0);
		writer_line(rq->w);
		return rc;
	}
	i = capture_next(sw, (unsigned int)rc - 1);
	writer_num(rq->w, "id", "Capture ", i->id, 0);
	writer_str(rq->w, "state", " ", capture_state_name(i->state), 0);
	if (i->state == CAPTURE_WAITING)
		writer_text(rq->w, ", nobody reads there yet");
	writer_line(rq->w);
	return 0;
}

static int stop(struct vswitch *sw, unsigned int id)
{
	const struct capture_info *i;

	if (id)
		return capture_stop(sw, id);
	while ((i = capture_next(sw, id))) {
		id = i->id;
		capture_stop(sw, id);
	}
	return 0;
}

/* Somebody will want to read the file next: the answer comes when it is
 * complete, unless that takes too long. */
static int cmd_stop(struct mgmt_req *rq, void *ctx)
{
	struct vswitch *sw = ctx;
	unsigned int id = rq->argc ? (unsigned int)rq->arg[0].num : 0;
	int rc = 0;

	if (rq->argc && !id)
		return -ENXIO;
	if (!rq->again) {
		rc = stop(sw, id);
		rq->more[0] = loop_clock(sw->loop) + CAPTURE_PATIENCE;
	}
	if (!rc)
		rc = capture_stopping(sw, id);
	if (rc > 0)
		rc = loop_clock(sw->loop) < rq->more[0] ? MGMT_MORE : 0;
	return rc;
}

static int cmd_list(struct mgmt_req *rq, void *ctx)
{
	const struct capture_info *i = NULL;

	writer_list(rq->w, "captures");
	while ((i = capture_next(ctx, i ? i->id : 0)))
		show(rq->w, i);
	writer_close(rq->w);
	return 0;
}

/* ---- metrics ---- */

static uint64_t next_capture(const struct vswitch *sw, uint64_t from)
{
	const struct capture_info *i = NULL;

	if (from <= UINT32_MAX)
		i = capture_next(sw, from ? (unsigned int)from - 1 : 0);
	return i ? i->id : METRIC_END;
}

static void label(struct metrics *m, const struct capture_info *i)
{
	metrics_label_num(m, "capture", i->id);
	metrics_label(m, "target", i->spec.target);
}

static void state(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	const struct capture_info *i = capture_next(sw, (unsigned int)item - 1);

	label(m, i);
	metrics_label(m, "state", capture_state_name(i->state));
	metrics_value(m, 1);
}

/* arg: where it is in struct capture_info. */
static void counter(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	const struct capture_info *i = capture_next(sw, (unsigned int)item - 1);

	label(m, i);
	metrics_value_in(m, i);
}

#define IN_CAPTURE(field) counter, offsetof(struct capture_info, field)

/* clang-format off */
static const struct metric capture_rows[] = {
	{ "capture_state", METRIC_GAUGE, "state of a capture, as its label", next_capture, state, 0 },
	{ "capture_packets_total", METRIC_COUNTER, "packets captured", next_capture, IN_CAPTURE(packets) },
	{ "capture_bytes_total", METRIC_COUNTER, "bytes of captures written", next_capture, IN_CAPTURE(bytes) },
	{ "capture_lost_total", METRIC_COUNTER, "packets lost because the reader was too slow", next_capture, IN_CAPTURE(lost) },
};
/* clang-format on */
const struct metric_set capture_metrics = { capture_rows,
					    ARRAY_SIZE(capture_rows) };

/* clang-format off */
static const struct mgmt_cmd capture_cmds[] = {
	{ "capture", "============", "CAPTURE MENU", NULL, false },
	{ "capture/start <args...>", "TARGET [ARGS]", "write frames to a file, FIFO or socket: [port N] [vlan N] [filter \"BPF\"] ...", cmd_start, false },
	{ "capture/stop [<id>]", "[ID]", "stop capture ID, or all", cmd_stop, false },
	{ "capture/list", "", "list the captures", cmd_list, true },
};
/* clang-format on */
const struct mgmt_table capture_table = { capture_cmds,
					  ARRAY_SIZE(capture_cmds) };
