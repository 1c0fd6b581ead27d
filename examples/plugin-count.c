// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plugin-count - count the frames of each protocol, and refuse one of them
 *
 *	cc -shared -fPIC $(pkg-config --cflags vde-plugin) plugin-count.c \
 *		-o count.so
 *	unixcmd -s /tmp/sw.mgmt plugin/add $PWD/count.so
 *	unixcmd -s /tmp/sw.mgmt count/refuse 0x86dd
 *	unixcmd -s /tmp/sw.mgmt -j count/show
 *
 * A plugin of vde_switch(1) in one page: a hook that sees what comes in, two
 * commands, and nothing to clean up but its own memory. See vde_plugin(3).
 */
#include <errno.h>
#include <stdlib.h>
#include <vde_plugin.h>

struct count {
	uint64_t frames[65536]; /* of each type */
	int64_t refused; /* 0: none */
};

static int see(struct vde_plugin_ctx *ctx, void *arg,
	       const struct vde_plugin_frame *f)
{
	struct count *c = arg;
	unsigned int type = f->data[12] << 8 | f->data[13];

	c->frames[type]++;
	return c->refused && type == c->refused ? VDE_PLUGIN_VETO
						: VDE_PLUGIN_PASS;
}

static int show(struct vde_plugin_ctx *ctx, struct vde_plugin_req *req,
		void *arg)
{
	const struct vde_plugin_host *h = ctx->host;
	const struct count *c = arg;

	h->open_list(req, "types");
	for (int i = 0; i < 65536; i++) {
		if (!c->frames[i])
			continue;
		h->open_object(req, NULL);
		h->put_num(req, "type", "type ", i, 5);
		h->put_num(req, "frames", " frames ", (int64_t)c->frames[i], 0);
		h->put_bool(req, "refused", i == c->refused, " refused", NULL);
		h->put_line(req);
		h->close(req);
	}
	return h->close(req);
}

static int refuse(struct vde_plugin_ctx *ctx, struct vde_plugin_req *req,
		  void *arg)
{
	struct count *c = arg;

	return ctx->host->arg_num(req, 0, &c->refused);
}

static int init(struct vde_plugin_ctx *ctx)
{
	struct count *c = calloc(1, sizeof(*c));
	const struct vde_plugin_command commands[] = {
		{ "count", "", "COUNT MENU", NULL, NULL, 0 },
		{ "count/show", "", "show frames of each type", show, c,
		  VDE_PLUGIN_DATA },
		{ "count/refuse <id>", "TYPE", "refuse a type, 0: none", refuse,
		  c, 0 },
	};
	int rc = c ? ctx->host->add_commands(ctx, commands, 3) : -ENOMEM;

	if (rc > 0)
		rc = ctx->host->watch_frames(ctx, VDE_PLUGIN_IN, see, c);
	if (rc < 0)
		free(c);
	ctx->data = c;
	return rc;
}

static void fini(struct vde_plugin_ctx *ctx)
{
	free(ctx->data);
}

const struct vde_plugin vde_plugin = {
	VDE_PLUGIN_API, sizeof(vde_plugin),
	"count",	"count frames by type",
	init,		fini,
};
