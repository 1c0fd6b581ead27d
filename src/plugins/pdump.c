// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pdump - a plugin that writes frames to a pcap file
 *
 * Commands and answers are VDE 2's: the file is opened when it is named, or,
 * under its default name, when it is first needed. A file that takes no more
 * ends the dump with a message; nothing else notices.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plugins/hostcall.h"
#include "plugins/pcapfile.h"

#define DEFAULT_NAME "vde_dump.cap"
#define PATH_ROOM 4096

struct pdump {
	const struct vde_plugin_host *host;
	int hook; /* 0: not active */
	struct pcapfile pcap;
	char path[PATH_ROOM];
};

/* ---- frames ---- */

static void stop(struct pdump *d, struct vde_plugin_ctx *ctx)
{
	d->host->remove(ctx, d->hook);
	d->hook = 0;
}

static int see(struct vde_plugin_ctx *ctx, void *arg,
	       const struct vde_plugin_frame *v)
{
	struct pdump *d = arg;
	int rc = d->hook ? pcapfile_write(&d->pcap, v) : 0;

	if (!rc)
		return VDE_PLUGIN_PASS;
	stop(d, ctx);
	host_warn(d->host, ctx, "write to", d->path, ", no longer active", rc);
	return VDE_PLUGIN_PASS;
}

/* ---- commands ---- */

static int open_file(struct pdump *d, struct vde_plugin_req *q)
{
	const struct vde_plugin_host *h = d->host;
	int rc = pcapfile_open(&d->pcap, d->path);

	if (!rc)
		return 0;
	h->put_str(q, NULL, "set_dumper() open(", d->path, 0);
	h->put_str(q, "reason", "): ", pcapfile_reason(rc), 0);
	h->put_line(q);
	h->put_str(q, NULL, "ERROR: cannot dump to ", d->path, 0);
	h->put_line(q);
	return -EINVAL;
}

/* The file that was named is the one that is meant, even if it cannot be
 * opened: then nothing is dumped until another one is named. */
static int cmd_filename(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	struct pdump *d = arg;
	const char *path;
	int rc;

	if (!d->host->arg_str(q, 0, &path)) {
		if (strlen(path) >= sizeof(d->path))
			return -ENAMETOOLONG;
		pcapfile_close(&d->pcap);
		str_copy(d->path, sizeof(d->path), path);
		rc = open_file(d, q);
		if (rc && d->hook)
			stop(d, ctx);
		if (rc)
			return rc;
	}
	d->host->put_str(q, "dumpfile", "dumpfile=", d->path, 0);
	return d->host->put_line(q);
}

static int cmd_buffered(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	struct pdump *d = arg;

	d->pcap.buffered = host_arg(d->host, q) != 0;
	return d->pcap.buffered ? 0 : pcapfile_flush(&d->pcap);
}

static int cmd_active(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	struct pdump *d = arg;
	bool on = host_arg(d->host, q) != 0;
	int rc;

	if (on == (d->hook > 0))
		return on ? -EEXIST : -ENOENT;
	if (!on) {
		stop(d, ctx);
		return pcapfile_flush(&d->pcap);
	}
	rc = d->pcap.fd < 0 ? open_file(d, q) : 0;
	if (rc)
		return rc;
	rc = d->host->watch_frames(ctx, VDE_PLUGIN_IN | VDE_PLUGIN_OUT, see, d);
	if (rc < 0)
		return rc;
	d->hook = rc;
	return 0;
}

static int cmd_showinfo(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	const struct pdump *d = arg;
	const struct vde_plugin_host *h = d->host;

	h->put_str(q, "dumpfile", "dumpfile=", d->path, 0);
	h->put_line(q);
	h->put_bool(q, "open", d->pcap.fd >= 0, "open=true", "open=false");
	h->put_line(q);
	h->put_bool(q, "active", d->hook > 0, "active=true", "active=false");
	h->put_line(q);
	h->put_bool(q, "buffered", d->pcap.buffered, "buffered=true",
		    "buffered=false");
	h->put_line(q);
	h->put_num(q, "frames", "frames=", (int64_t)d->pcap.frames, 0);
	return h->put_line(q);
}

/* ---- life ---- */

static int init(struct vde_plugin_ctx *ctx)
{
	struct pdump *d = malloc(sizeof(*d));
	const struct vde_plugin_command commands[] = {
		{ "pdump", "", "DUMP Packets to file", NULL, NULL, 0 },
		{ "pdump/active <bool>", "0/1", "start dumping data",
		  cmd_active, d, VDE_PLUGIN_DATA },
		{ "pdump/filename [<path...>]", "<file>",
		  "set/show output filename (default: " DEFAULT_NAME ")",
		  cmd_filename, d, VDE_PLUGIN_DATA },
		{ "pdump/buffered <bool>", "0/1",
		  "set buffered/unbuffered dump", cmd_buffered, d, 0 },
		{ "pdump/showinfo", "", "show pdump info", cmd_showinfo, d,
		  VDE_PLUGIN_DATA },
	};
	const struct vde_plugin_host *h = ctx->host;
	int rc;

	if (!d)
		return -ENOMEM;
	d->host = h;
	d->hook = 0;
	str_copy(d->path, sizeof(d->path), DEFAULT_NAME);
	pcapfile_init(&d->pcap);
	ctx->data = d;
	rc = h->add_commands(ctx, commands, ARRAY_SIZE(commands));
	/* VDE 2 has these two, and nothing is ever said in them. */
	if (rc > 0)
		rc = h->add_category(ctx, "pdump/packetin", 0101,
				     "dump incoming packet to file");
	if (rc > 0)
		rc = h->add_category(ctx, "pdump/packetout", 0102,
				     "dump outgoing packet to file");
	if (rc < 0)
		free(d);
	return rc;
}

static void fini(struct vde_plugin_ctx *ctx)
{
	struct pdump *d = ctx->data;

	pcapfile_close(&d->pcap);
	free(d);
}

const struct vde_plugin vde_plugin = {
	VDE_PLUGIN_API, sizeof(vde_plugin),
	"pdump",	"dump packets to file, in pcap format",
	init,		fini
};
