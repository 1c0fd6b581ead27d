// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump - a plugin that shows frames on consoles, and writes them to a file
 *
 * As VDE 2's, with the bytes as characters too and a pcap file if one is
 * wanted. It looks at frames only while it is active, and makes text only
 * while a console has subscribed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/strbuf.h"
#include "plugins/hostcall.h"
#include "plugins/pcapfile.h"

/* Bytes of a frame that are shown: of those that are still to be cut the
 * rest is in the pcap file only. */
#define SHOWN_MAX ETHER_MAX_LEN
#define TEXT_ROOM (SHOWN_MAX * 4 + 80)

struct dump {
	const struct vde_plugin_host *host;
	int hook; /* 0: not active */
	int in, out; /* categories */
	bool ascii;
	char *path; /* of @pcap */
	int failed; /* -errno that ended it */
	struct pcapfile pcap;
	char text[TEXT_ROOM];
};

/* ---- frames ---- */

/* Byte @i of the frame as it is on the wire. */
static uint8_t wire_byte(const struct vde_plugin_frame *v, size_t i)
{
	static const uint8_t type[] = { ETHERTYPE_VLAN >> 8,
					ETHERTYPE_VLAN & 0xff };
	const size_t addrs = 2 * ETHER_ADDR_LEN;

	if (!v->tagged || i < addrs)
		return v->data[i];
	if (i < addrs + 2)
		return type[i - addrs];
	if (i < addrs + ETHER_TAG_LEN)
		return (uint8_t)(i == addrs + 2 ? v->tci >> 8 : v->tci);
	return v->data[i - ETHER_TAG_LEN];
}

static void show(struct dump *d, struct vde_plugin_ctx *ctx,
		 const struct vde_plugin_frame *v)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = v->len + (v->tagged ? ETHER_TAG_LEN : 0);
	size_t shown = size_min(len, SHOWN_MAX);
	int category = v->point == VDE_PLUGIN_IN ? d->in : d->out;
	char *at;
	int n;

	if (d->host->wanted(ctx, category) <= 0)
		return;
	n = str_fmt(d->text, sizeof(d->text), "Pkt: Port %04u len=%04zu ",
		    v->port, len);
	at = d->text + (n > 0 ? n : 0);
	for (size_t i = 0; i < shown; i++) {
		uint8_t byte = wire_byte(v, i);

		*at++ = hex[byte >> 4];
		*at++ = hex[byte & 15];
		*at++ = ' ';
	}
	if (d->ascii)
		*at++ = '|';
	for (size_t i = 0; i < shown && d->ascii; i++) {
		uint8_t byte = wire_byte(v, i);

		*at++ = '.';
		if (byte >= ' ' && byte < 0x7f)
			at[-1] = (char)byte;
	}
	if (d->ascii)
		*at++ = '|';
	*at = '\0';
	d->host->emit(ctx, category, d->text);
}

static void store(struct dump *d, struct vde_plugin_ctx *ctx,
		  const struct vde_plugin_frame *v)
{
	int rc = pcapfile_write(&d->pcap, v);

	if (!rc)
		return;
	d->failed = rc;
	host_warn(d->host, ctx, "write to", d->path, "", rc);
}

static int see(struct vde_plugin_ctx *ctx, void *arg,
	       const struct vde_plugin_frame *v)
{
	struct dump *d = arg;

	show(d, ctx, v);
	if (d->pcap.fd >= 0)
		store(d, ctx, v);
	return VDE_PLUGIN_PASS;
}

/* ---- commands ---- */

/* VDE 2: always well. */
static int cmd_active(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		      void *arg)
{
	struct dump *d = arg;
	bool on = host_arg(d->host, q) != 0;
	int rc;

	if (on == (d->hook > 0))
		return 0;
	if (!on) {
		d->host->remove(ctx, d->hook);
		d->hook = 0;
		return pcapfile_flush(&d->pcap);
	}
	rc = d->host->watch_frames(ctx, VDE_PLUGIN_IN | VDE_PLUGIN_OUT, see, d);
	if (rc > 0)
		d->hook = rc;
	return rc < 0 ? rc : 0;
}

static int cmd_ascii(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		     void *arg)
{
	struct dump *d = arg;

	d->ascii = host_arg(d->host, q) != 0;
	return 0;
}

/* Without a name: no more. */
static int cmd_pcap(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
		    void *arg)
{
	struct dump *d = arg;
	const char *path = NULL;
	char *copy;
	int rc;

	if (d->host->arg_str(q, 0, &path)) {
		rc = pcapfile_close(&d->pcap);
		free(d->path);
		d->path = NULL;
		return rc;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	rc = pcapfile_open(&d->pcap, path);
	if (rc) {
		free(copy);
		d->host->put_str(q, "reason",
				 "unable to dump: ", pcapfile_reason(rc), 0);
		d->host->put_line(q);
		return rc;
	}
	free(d->path);
	d->path = copy;
	d->failed = 0;
	return 0;
}

static int cmd_showinfo(struct vde_plugin_ctx *ctx, struct vde_plugin_req *q,
			void *arg)
{
	const struct dump *d = arg;
	const struct vde_plugin_host *h = d->host;

	h->put_bool(q, "active", d->hook > 0, "active=true", "active=false");
	h->put_line(q);
	h->put_bool(q, "ascii", d->ascii, "ascii=true", "ascii=false");
	h->put_line(q);
	h->put_str(q, "pcap", "pcap=", d->path, 0);
	if (!d->path)
		return h->put_text(q, "pcap=\n");
	h->put_num(q, "frames", " frames=", (int64_t)d->pcap.frames, 0);
	h->put_str(q, "error",
		   " error=", d->failed ? strerror(-d->failed) : NULL, 0);
	return h->put_line(q);
}

/* ---- life ---- */

static int init(struct vde_plugin_ctx *ctx)
{
	struct dump *d = malloc(sizeof(*d));
	const struct vde_plugin_command commands[] = {
		{ "dump", "", "DUMP Packets", NULL, NULL, 0 },
		{ "dump/active <bool>", "0/1", "start dumping data", cmd_active,
		  d, 0 },
		{ "dump/ascii <bool>", "0/1", "show characters too", cmd_ascii,
		  d, 0 },
		{ "dump/pcap [<path...>]", "[file]",
		  "write what is dumped to a pcap file too", cmd_pcap, d, 0 },
		{ "dump/showinfo", "", "show dump info", cmd_showinfo, d,
		  VDE_PLUGIN_DATA },
	};
	const struct vde_plugin_host *h = ctx->host;
	int rc;

	if (!d)
		return -ENOMEM;
	d->host = h;
	d->hook = 0;
	d->ascii = false;
	d->path = NULL;
	d->failed = 0;
	pcapfile_init(&d->pcap);
	ctx->data = d;
	rc = h->add_commands(ctx, commands, ARRAY_SIZE(commands));
	if (rc > 0)
		rc = d->in = h->add_category(ctx, "dump/packetin", 0101,
					     "dump incoming packet");
	if (rc > 0)
		rc = d->out = h->add_category(ctx, "dump/packetout", 0102,
					      "dump outgoing packet");
	if (rc < 0)
		free(d);
	return rc;
}

static void fini(struct vde_plugin_ctx *ctx)
{
	struct dump *d = ctx->data;

	pcapfile_close(&d->pcap);
	free(d->path);
	free(d);
}

const struct vde_plugin vde_plugin = { VDE_PLUGIN_API, sizeof(vde_plugin),
				       "dump",	       "dump packets",
				       init,	       fini };
