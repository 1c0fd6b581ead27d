// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin for 78-plugin.py, built by it as a stranger would, in variants
 * (-DNAME=...): it says what it is asked to, vetoes what it is told to, and
 * tries everything that is forbidden.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vde_plugin.h>

#ifndef NAME
#define NAME "t"
#endif
#ifndef PREFIX
#define PREFIX NAME
#endif
#ifndef API
#define API VDE_PLUGIN_API
#endif

struct state {
	const struct vde_plugin_host *h;
	int in, out, dropped; /* hooks, 0: none */
	int category, timer, once;
	unsigned int seen[3], veto; /* bits of points */
	unsigned int leave; /* and where to unload: 8 in a timer, 16 an event */
	unsigned int ticks, events[VDE_PLUGIN_N_EVENTS];
	uint64_t last_len;
	struct vde_plugin_req *stale;
	char last[200];
};

static int see(struct vde_plugin_ctx *ctx, void *arg,
	       const struct vde_plugin_frame *f)
{
	struct state *s = arg;
	static const char *const names[] = { "", "in", "out", "", "dropped" };

	s->seen[f->point / 2]++;
	if (s->leave & f->point) {
		s->leave = 0;
		s->h->remove(ctx, s->in);
		if (s->h->unload(ctx))
			abort();
	}
	snprintf(s->last, sizeof(s->last),
		 "%s port=%u vlan=%u tagged=%u len=%u first=%02x reason=%s",
		 names[f->point], f->port, f->vlan, f->tagged, f->len,
		 f->len ? f->data[0] : 0, f->reason ? f->reason : "-");
	return s->veto & f->point ? VDE_PLUGIN_VETO : VDE_PLUGIN_PASS;
}

static void hear(struct vde_plugin_ctx *ctx, void *arg,
		 const struct vde_plugin_event *ev)
{
	struct state *s = arg;
	char text[300];

	s->events[ev->type]++;
	if (s->leave & 16 && s->h->unload(ctx))
		abort();
	snprintf(text, sizeof(text),
		 "type=%u port=%u old=%u vlan=%u ep=%u mac=%012llx descr=%s",
		 ev->type, ev->port, ev->old_port, ev->vlan, ev->endpoint,
		 (unsigned long long)ev->address, ev->descr ? ev->descr : "-");
	s->h->emit(ctx, s->category, text);
}

static void tick(struct vde_plugin_ctx *ctx, void *arg)
{
	struct state *s = arg;

	s->ticks++;
	if (s->leave & 8 && s->h->unload(ctx))
		abort();
}

static void tick_once(struct vde_plugin_ctx *ctx, void *arg)
{
	struct state *s = arg;

	s->ticks += 1000;
	if (s->h->remove(ctx, s->once)) /* it is void after this, not now */
		abort();
}

static int64_t num(struct state *s, struct vde_plugin_req *q, int i)
{
	int64_t v = -1;

	s->h->arg_num(q, i, &v);
	return v;
}

static int cmd_watch(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	struct state *s = arg;
	int rc;

	if (s->in)
		s->h->remove(ctx, s->in);
	s->in = 0;
	if (!num(s, q, 0))
		return 0;
	rc = s->h->watch_frames(ctx, (unsigned int)num(s, q, 0), see, s);
	s->in = rc > 0 ? rc : 0;
	return rc;
}

static int cmd_veto(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		    void *arg)
{
	((struct state *)arg)->veto = (unsigned int)num(arg, q, 0);
	return 0;
}

static int cmd_show(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		    void *arg)
{
	struct state *s = arg;

	s->h->put_num(q, "in", "in=", s->seen[0], 0);
	s->h->put_num(q, "out", " out=", s->seen[1], 0);
	s->h->put_num(q, "dropped", " dropped=", s->seen[2], 0);
	s->h->put_num(q, "ticks", NULL, s->ticks, 0);
	s->h->put_line(q);
	s->h->put_str(q, "last", "last: ", s->last, 0);
	return s->h->put_line(q);
}

static int each(struct vde_plugin_ctx *ctx, void *arg,
		const struct vde_plugin_endpoint *e)
{
	struct vde_plugin_req *q = arg;
	const struct vde_plugin_host *h = ctx->host;

	h->open_object(q, NULL);
	h->put_num(q, "id", "  ", e->id, 0);
	h->put_str(q, "descr", " ", e->descr, 0);
	h->put_str(q, "module", " ", e->module, 0);
	h->put_line(q);
	return h->close(q);
}

static int cmd_ports(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	const struct vde_plugin_host *h = ctx->host;
	char user[64];

	h->open_list(q, "ports");
	for (int p = h->next_port(ctx, -1); p >= 0; p = h->next_port(ctx, p)) {
		struct vde_plugin_port info = { .size = sizeof(info) };

		if (h->port_info(ctx, (unsigned int)p, &info))
			return -EIO;
		h->user_name(ctx, info.uid, user, sizeof(user));
		h->open_object(q, NULL);
		h->put_num(q, "port", "", p, 0);
		h->put_bool(q, "active", info.active, " up", " down");
		h->put_str(q, "user", " ", user, 0);
		h->put_line(q);
		h->open_list(q, "endpoints");
		h->endpoints(ctx, (unsigned int)p, each, q);
		h->close(q);
		h->close(q);
	}
	return 0; /* the list is still open */
}

static int cmd_long(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		    void *arg)
{
	const struct vde_plugin_host *h = ctx->host;
	uint64_t *more = h->more(q);

	if (!more[0])
		h->open_list(q, "lines");
	while (more[0] < 5000) {
		h->put_num(q, NULL, "line ", (int64_t)more[0]++, 0);
		h->put_line(q);
		if (h->pause(q))
			return VDE_PLUGIN_MORE;
	}
	return h->close(q);
}

static int cmd_unload(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	ctx->host->put_str(q, "said", "", "goodbye", 0);
	ctx->host->put_line(q);
	return ctx->host->unload(ctx);
}

static int cmd_leave(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	((struct state *)arg)->leave = (unsigned int)num(arg, q, 0);
	return 0;
}

static int cmd_fail(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		    void *arg)
{
	return (int)num(arg, q, 0);
}

static int cmd_timer(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	struct state *s = arg;

	s->timer = s->h->start_timer(ctx, 0, 1000000, tick, s);
	s->once = s->h->start_timer(ctx, 1000, 0, tick_once, s);
	return s->timer < 0 ? s->timer : s->once;
}

static int cmd_nothing(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		       void *arg)
{
	return 0;
}

/* ---- what is forbidden ---- */

static struct vde_plugin_ctx *other_ctx;
static struct vde_plugin_req *other_req;

static void *from_another_thread(void *arg)
{
	const struct vde_plugin_host *h = other_ctx->host;
	int64_t v;

	if (h->log(other_ctx, 4, "x") != -EPERM ||
	    h->emit(other_ctx, 1, "x") != -EPERM ||
	    h->arg_num(other_req, 0, &v) != -EPERM ||
	    h->put_line(other_req) != -EPERM || h->now(other_ctx) ||
	    h->watch_frames(other_ctx, 1, see, NULL) != -EPERM)
		return NULL;
	return other_ctx;
}

#define REFUSED(call, error)                                     \
	do {                                                     \
		int rc = (call);                                 \
		if (rc != -(error)) {                            \
			h->put_str(q, "bad", "bad: ", #call, 0); \
			h->put_num(q, "rc", " ", rc, 0);         \
			h->put_line(q);                          \
		}                                                \
	} while (0)

static void misuse_registrations(struct vde_plugin_ctx *ctx,
				 struct vde_plugin_req *q, struct state *s)
{
	const struct vde_plugin_host *h = s->h;
	struct vde_plugin_command c = { "a", "", "", cmd_nothing, 0, 0 };
	struct vde_plugin_command two[] = {
		{ "zz/a", "", "", cmd_nothing, 0, 0 },
		{ "zz/a", "", "", cmd_nothing, 0, 0 }
	};
	char *name = malloc(3000);

	REFUSED(h->watch_frames(NULL, 1, see, s), EINVAL);
	REFUSED(h->watch_frames(ctx, 0, see, s), EINVAL);
	REFUSED(h->watch_frames(ctx, 8, see, s), EINVAL);
	REFUSED(h->watch_frames(ctx, 1, NULL, s), EINVAL);
	REFUSED(h->watch_events(ctx, 0, hear, s), EINVAL);
	REFUSED(h->watch_events(ctx, 1U << VDE_PLUGIN_N_EVENTS, hear, s),
		EINVAL);
	REFUSED(h->watch_events(ctx, 1, NULL, s), EINVAL);
	REFUSED(h->start_timer(ctx, 0, 1, tick, s), EINVAL);
	REFUSED(h->start_timer(ctx, UINT64_MAX, 0, tick, s), EINVAL);
	REFUSED(h->start_timer(ctx, 0, 0, NULL, s), EINVAL);
	REFUSED(h->add_commands(ctx, NULL, 1), EINVAL);
	REFUSED(h->add_commands(ctx, &c, 0), EINVAL);
	REFUSED(h->add_commands(ctx, &c, 1000), EINVAL);
	REFUSED(h->add_commands(ctx, two, 2), EEXIST);
	c.syntax = "port/print";
	REFUSED(h->add_commands(ctx, &c, 1), EEXIST);
	c.syntax = "x <port";
	REFUSED(h->add_commands(ctx, &c, 1), EINVAL);
	c.syntax = NULL;
	REFUSED(h->add_commands(ctx, &c, 1), EINVAL);
	c.syntax = "x";
	c.help = NULL;
	REFUSED(h->add_commands(ctx, &c, 1), EINVAL);
	c.help = "";
	c.flags = 0x80;
	REFUSED(h->add_commands(ctx, &c, 1), EINVAL);
	memset(name, 'x', 2999);
	name[2999] = '\0';
	c.flags = 0;
	c.syntax = name;
	REFUSED(h->add_commands(ctx, &c, 1), EINVAL);
	REFUSED(h->add_category(ctx, name, 1, ""), EINVAL);
	REFUSED(h->add_category(ctx, "a b", 1, ""), EINVAL);
	REFUSED(h->add_category(ctx, "", 1, ""), EINVAL);
	REFUSED(h->add_category(ctx, NULL, 1, ""), EINVAL);
	REFUSED(h->add_category(ctx, "a", 01000, ""), EINVAL);
	REFUSED(h->add_category(ctx, "a", 1, NULL), EINVAL);
	REFUSED(h->add_category(ctx, "port/+", 1, ""), EEXIST);
	REFUSED(h->add_category(ctx, PREFIX "/event", 1, ""), EEXIST);
	REFUSED(h->remove(ctx, 0), ENOENT);
	REFUSED(h->remove(ctx, -1), ENOENT);
	REFUSED(h->remove(ctx, 12345), ENOENT);
	REFUSED(h->emit(ctx, 12345, "x"), EINVAL);
	REFUSED(h->emit(ctx, s->category, NULL), EINVAL);
	REFUSED(h->wanted(ctx, -1), EINVAL);
	free(name);
}

static void misuse_answers(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			   struct state *s)
{
	const struct vde_plugin_host *h = s->h;
	const char *str;
	int64_t v;
	int n = 0;

	REFUSED(h->arg_num(q, 0, &v), EINVAL); /* it is a word */
	REFUSED(h->arg_num(q, 1, &v), EINVAL);
	REFUSED(h->arg_num(q, -1, &v), EINVAL);
	REFUSED(h->arg_str(q, 1, &str), EINVAL);
	REFUSED(h->arg_str(q, 0, NULL), EINVAL);
	REFUSED(h->arg_count(NULL), EINVAL);
	REFUSED(h->put_text(q, NULL), EINVAL);
	REFUSED(h->put_num(q, "x", NULL, 1, 65), EINVAL);
	REFUSED(h->put_num(q, "x", NULL, 1, -65), EINVAL);
	REFUSED(h->put_str(q, "x", NULL, "", -1), EINVAL);
	REFUSED(h->close(q), EINVAL);
	REFUSED(h->open_object(q, NULL), EINVAL);
	REFUSED(h->open_list(q, NULL), EINVAL);
	while (h->open_list(q, "deep") == 0 && n < 100)
		n++;
	REFUSED(h->open_list(q, "deep"), ENOSPC);
	REFUSED(n > 100 ? 1 : 0, 0);
	while (n--)
		h->close(q);
	REFUSED(h->close(q), EINVAL);
}

static int cmd_misuse(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	struct state *s = arg;
	const struct vde_plugin_host *h = s->h;
	struct vde_plugin_port info = { .size = 2 };
	char buf[4];
	uint32_t uid;
	pthread_t t;
	void *same = NULL;
	int n = 0;

	misuse_registrations(ctx, q, s);
	misuse_answers(ctx, q, s);
	REFUSED(h->log(ctx, 8, "x"), EINVAL);
	REFUSED(h->log(ctx, -1, "x"), EINVAL);
	REFUSED(h->log(ctx, 4, NULL), EINVAL);
	REFUSED(h->next_port(ctx, -2), EINVAL);
	REFUSED(h->next_port(ctx, 1 << 30), ENXIO);
	REFUSED(h->port_info(ctx, 1, &info), EINVAL);
	REFUSED(h->port_info(ctx, 99999, &info), ENXIO);
	REFUSED(h->endpoints(ctx, 1, NULL, s), EINVAL);
	REFUSED(h->endpoints(ctx, 99999, each, s), ENXIO);
	REFUSED(h->user_name(ctx, 0, buf, 0), EINVAL);
	REFUSED(h->user_name(ctx, 0, buf, 2), ENAMETOOLONG);
	REFUSED(h->find_user(ctx, "no such user", &uid), EINVAL);
	REFUSED(h->find_user(ctx, NULL, &uid), EINVAL);
	while (h->start_timer(ctx, UINT64_C(1) << 40, 0, tick, s) > 0 &&
	       n < 1000)
		n++;
	REFUSED((n && n < 200) || n > 256, 0); /* all are taken */
	other_ctx = ctx;
	other_req = q;
	if (pthread_create(&t, NULL, from_another_thread, NULL) ||
	    pthread_join(t, &same))
		return -EIO;
	REFUSED(same != ctx, 0);
	s->stale = q;
	h->put_num(q, "checked", "checked ", 1, 0);
	return h->put_line(q);
}

/* The request of the last misuse is over. */
static void misuse_later(struct vde_plugin_ctx *ctx, void *arg)
{
	struct state *s = arg;

	if (s->stale && s->h->put_line(s->stale) != -EINVAL)
		abort();
}

/* ---- life ---- */

static int init(struct vde_plugin_ctx *ctx)
{
	const struct vde_plugin_host *h = ctx->host;
	struct state *s = calloc(1, sizeof(*s));
	struct vde_plugin_command commands[] = {
		{ PREFIX, "", "TEST MENU", NULL, s, 0 },
		{ PREFIX "/watch <id>", "N", "watch", cmd_watch, s, 0 },
		{ PREFIX "/veto <id>", "N", "veto", cmd_veto, s, 0 },
		{ PREFIX "/show", "", "show", cmd_show, s, 1 },
		{ PREFIX "/ports", "", "ports", cmd_ports, s, 1 },
		{ PREFIX "/long", "", "long", cmd_long, s, 1 },
		{ PREFIX "/unload", "", "unload", cmd_unload, s, 1 },
		{ PREFIX "/leave <id>", "N", "leave", cmd_leave, s, 0 },
		{ PREFIX "/fail [<bool>]", "N", "fail", cmd_fail, s, 0 },
		{ PREFIX "/timer", "", "timers", cmd_timer, s, 0 },
		{ PREFIX "/misuse <word>", "W", "misuse", cmd_misuse, s, 1 },
	};
	int rc;

	if (!s)
		return -ENOMEM;
	s->h = h;
	ctx->data = s;
	if (h->api != VDE_PLUGIN_API || h->size < sizeof(*h))
		rc = -EPROTO;
	else
		rc = h->add_commands(ctx, commands, 11);
	if (rc > 0)
		rc = s->category = h->add_category(ctx, PREFIX "/event", 0777,
						   "test events");
	if (rc > 0)
		rc = h->watch_events(ctx, (1U << VDE_PLUGIN_N_EVENTS) - 1, hear,
				     s);
	if (rc > 0)
		rc = h->start_timer(ctx, 1000000, 1000000, misuse_later, s);
	if (rc > 0 && h->unload(ctx) != -EBUSY)
		rc = -EIO;
	if (h->log(ctx, 5, "plugin says hello") < 0)
		rc = -EIO;
#ifdef FAIL
	rc = h->watch_frames(ctx, VDE_PLUGIN_IN, see, s);
	h->start_timer(ctx, 0, 1000000, tick, s);
	rc = rc > 0 ? -ENOTTY : rc;
#endif
	if (rc < 0)
		free(s);
	return rc;
}

static void fini(struct vde_plugin_ctx *ctx)
{
	const struct vde_plugin_host *h = ctx->host;
	struct state *s = ctx->data;

	if (h->watch_frames(ctx, 1, see, s) != -ESHUTDOWN ||
	    h->emit(ctx, s->category, "the end"))
		abort();
	free(s);
}

const struct vde_plugin vde_plugin = { API,  sizeof(vde_plugin),
				       NAME, "a test",
				       init, fini };
