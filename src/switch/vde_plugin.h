/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vde_plugin - what a plugin of vde_switch and the switch know of each other
 *
 * A plugin is a shared object that exports one symbol, a struct vde_plugin
 * named "vde_plugin". The switch calls its init() with a context, in which is
 * a table of functions: a plugin needs no symbol of the executable, and one
 * that was built for an older switch of the same VDE_PLUGIN_API runs in a
 * newer one. What the switch gives (struct vde_plugin_host, _frame, _event,
 * _endpoint, _port) may grow at its end, and says how long it is; what a
 * plugin gives stays as it is.
 *
 *     static int hello(struct vde_plugin_ctx *ctx,
 *                      struct vde_plugin_req *req, void *arg)
 *     {
 *             ctx->host->put_str(req, "greeting", "", "hello", 0);
 *             return ctx->host->put_line(req);
 *     }
 *
 *     static const struct vde_plugin_command commands[] = {
 *             { "hello/say", "", "say hello", hello, NULL, VDE_PLUGIN_DATA },
 *     };
 *
 *     static int init(struct vde_plugin_ctx *ctx)
 *     {
 *             return ctx->host->add_commands(ctx, commands, 1);
 *     }
 *
 *     const struct vde_plugin vde_plugin = {
 *             VDE_PLUGIN_API, sizeof(vde_plugin), "hello", "greets", init, NULL
 *     };
 *
 * Every function returns >= 0, or -errno: a wrong use is refused (-EINVAL, or
 * -EPERM from another thread) and changes nothing. Whatever a plugin has
 * registered is undone by the switch when it is unloaded, also when its init()
 * fails half way. Strings that a plugin gives are copied; those that it gets
 * belong to the switch and last as long as the call.
 *
 * Everything happens in the one thread of the switch: a callback that waits
 * stops all traffic. Callbacks may call any function here, also one that
 * removes the very thing that is being called. Time is in nanoseconds,
 * monotonic. The page vde_plugin(3) tells more.
 *
 * A plugin runs inside a program under the GPL, version 2 or later, and this
 * header is part of that program.
 */
#ifndef VDE_PLUGIN_H
#define VDE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VDE_PLUGIN_API 1

struct vde_plugin_ctx;
struct vde_plugin_host;
struct vde_plugin_req; /* a command that is being answered */

struct vde_plugin {
	uint32_t api; /* VDE_PLUGIN_API */
	uint32_t size; /* of this struct */
	const char *name; /* of 1 to 31 letters, digits, '-', '_' and '.' */
	const char *help; /* what plugin/list says of it */
	int (*init)(struct vde_plugin_ctx *); /* >= 0, or -errno: unload */
	void (*fini)(struct vde_plugin_ctx *); /* may be NULL; not called when
						  init() failed */
};

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
extern const struct vde_plugin vde_plugin;

/* Lives from init() until fini() has returned. */
struct vde_plugin_ctx {
	const struct vde_plugin_host *host;
	void *data; /* the plugin's own; NULL at first */
};

/* ---- frames ---- */

/* Where a frame is seen: accepted on a port, about to leave by a port, or
 * dropped at either. A bit each. */
#define VDE_PLUGIN_IN 1U
#define VDE_PLUGIN_OUT 2U
#define VDE_PLUGIN_DROPPED 4U

/* What a watcher answers. */
#define VDE_PLUGIN_PASS 0
#define VDE_PLUGIN_VETO 1 /* it is dropped there, and counted */

struct vde_plugin_frame {
	uint32_t size; /* of this struct */
	uint32_t point; /* VDE_PLUGIN_IN, _OUT or _DROPPED */
	uint32_t port;
	uint32_t len; /* of @data: 14 at least, but if it is dropped */
	const uint8_t *data; /* from the destination on, without VLAN tag */
	uint64_t time; /* of this turn */
	const char *reason; /* why it is dropped, else NULL */
	uint16_t vlan;
	uint16_t tci; /* @vlan with the priority bits above it */
	uint8_t tagged; /* it has a tag on the wire, between byte 12 and 13 */
	/* As in struct virtio_net_hdr: not 0 where a receiver has yet to
	 * finish a checksum, or to cut the frame into many. */
	uint8_t flags;
	uint8_t gso_type;
	uint8_t reserved;
	uint16_t gso_size;
	uint16_t hdr_len;
	uint16_t csum_start;
	uint16_t csum_offset;
};

typedef int vde_plugin_frame_fn(struct vde_plugin_ctx *, void *arg,
				const struct vde_plugin_frame *);

/* ---- commands ---- */

/* @syntax is the name and the arguments: "x/set <port> [<text...>]". Numbers
 * are <port>, <vlan>, <bool>, <id>, <seconds>; everything else is a word, with
 * "..." the rest of the line, and in [] it may be missing. */
typedef int vde_plugin_command_fn(struct vde_plugin_ctx *,
				  struct vde_plugin_req *, void *arg);

struct vde_plugin_command {
	const char *syntax;
	const char *shown; /* the arguments as help shows them, may be "" */
	const char *help;
	/* 0, -errno or VDE_PLUGIN_MORE; NULL: a heading of help. */
	vde_plugin_command_fn *fn;
	void *arg;
	uint32_t flags;
};

#define VDE_PLUGIN_DATA 1U /* the reply has a data block, be it empty */

/* The answer goes on: the handler is called again after others had their
 * turn, or never, if whoever asked has gone. See pause() and more(). */
#define VDE_PLUGIN_MORE 1000

/* ---- events of the switch ---- */

enum vde_plugin_event_type {
	VDE_PLUGIN_PORT_UP, /* its first endpoint has come */
	VDE_PLUGIN_PORT_DOWN, /* its last one has gone */
	VDE_PLUGIN_ENDPOINT_UP,
	VDE_PLUGIN_ENDPOINT_DOWN, /* about to go */
	VDE_PLUGIN_ADDRESS_NEW, /* a MAC address was learned */
	VDE_PLUGIN_ADDRESS_GONE,
	VDE_PLUGIN_ADDRESS_MOVED, /* from old_port to port */
	VDE_PLUGIN_HANGUP, /* SIGHUP: open log files anew */
	VDE_PLUGIN_N_EVENTS
};

struct vde_plugin_event {
	uint32_t size; /* of this struct */
	uint32_t type; /* enum vde_plugin_event_type */
	uint32_t port;
	uint32_t old_port; /* MOVED */
	uint32_t vlan; /* ADDRESS_* */
	uint32_t endpoint; /* ENDPOINT_*: its number */
	uint64_t address; /* ADDRESS_*: six bytes, the first one highest */
	const char *descr; /* ENDPOINT_*: what it said of itself, may be "" */
	uint32_t uid; /* PORT_UP, ENDPOINT_*, or VDE_PLUGIN_NOBODY */
	uint32_t reserved;
};

#define VDE_PLUGIN_NOBODY UINT32_MAX

typedef void vde_plugin_event_fn(struct vde_plugin_ctx *, void *arg,
				 const struct vde_plugin_event *);

/* ---- the rest ---- */

typedef void vde_plugin_timer_fn(struct vde_plugin_ctx *, void *arg);

struct vde_plugin_endpoint {
	uint32_t size; /* of this struct */
	uint32_t id;
	uint32_t uid; /* of who connected it, or VDE_PLUGIN_NOBODY */
	uint32_t reserved;
	const char *descr; /* may be "" */
	const char *module; /* "unix prog", "tuntap" */
};

/* Not 0: enough of them. */
typedef int vde_plugin_endpoint_fn(struct vde_plugin_ctx *, void *arg,
				   const struct vde_plugin_endpoint *);

struct vde_plugin_port {
	uint32_t size; /* of the caller's struct: filled no further */
	uint32_t untagged_vlan; /* 4095: none */
	uint32_t uid; /* of who uses it, or VDE_PLUGIN_NOBODY */
	uint8_t active;
	uint8_t reserved[3];
	uint64_t in_frames, in_bytes, out_frames, out_bytes;
};

struct vde_plugin_host {
	uint32_t api; /* VDE_PLUGIN_API */
	uint32_t size; /* of this struct */

	/* Registrations. Each returns a number > 0 that remove() takes, at
	 * most 256 of them live; -EEXIST if a name is taken, -ENOSPC. */

	/* @points: one or more of VDE_PLUGIN_IN ... */
	int (*watch_frames)(struct vde_plugin_ctx *, unsigned int points,
			    vde_plugin_frame_fn *, void *arg);
	/* All of them or none; they are removed together. */
	int (*add_commands)(struct vde_plugin_ctx *,
			    const struct vde_plugin_command *, unsigned int n);
	/* A category of debug/add, shown as 3TTT with @tag in octal. */
	int (*add_category)(struct vde_plugin_ctx *, const char *name,
			    unsigned int tag, const char *help);
	/* @types: 1 << enum vde_plugin_event_type, or'ed. */
	int (*watch_events)(struct vde_plugin_ctx *, unsigned int types,
			    vde_plugin_event_fn *, void *arg);
	/* First after @delay, then every @period; 0: once, and its number is
	 * void then. Shorter periods than 0.1 ms are refused. */
	int (*start_timer)(struct vde_plugin_ctx *, uint64_t delay,
			   uint64_t period, vde_plugin_timer_fn *, void *arg);
	int (*remove)(struct vde_plugin_ctx *, int id);
	/* The plugin is unloaded when nothing of it runs any more. -EBUSY
	 * inside init(), which may fail instead. */
	int (*unload)(struct vde_plugin_ctx *);

	/* Event lines. Does any console want this category? Then build it. */
	int (*wanted)(struct vde_plugin_ctx *, int category);
	int (*emit)(struct vde_plugin_ctx *, int category, const char *text);

	/* Arguments of a command, counted from 0; -EINVAL if it is not there,
	 * or is no number, or no word. */
	int (*arg_count)(struct vde_plugin_req *);
	int (*arg_num)(struct vde_plugin_req *, int i, int64_t *out);
	int (*arg_str)(struct vde_plugin_req *, int i, const char **out);

	/* True when this part of a long answer has become long enough. */
	int (*pause)(struct vde_plugin_req *);
	/* Three numbers, zeros in the first part, kept for the next one. */
	uint64_t *(*more)(struct vde_plugin_req *);

	/* What the command says: for each fact its key in JSON and the text
	 * in front of it. @piece NULL: in JSON only; @key NULL: as an element
	 * of a list, else in text only. */
	int (*put_text)(struct vde_plugin_req *, const char *piece);
	int (*put_line)(struct vde_plugin_req *);
	/* @width > 0 pads with zeros, < 0 with blanks, to 64 at most. */
	int (*put_num)(struct vde_plugin_req *, const char *key,
		       const char *piece, int64_t v, int width);
	/* @width > 0 pads with blanks on the right. @v NULL: null. */
	int (*put_str)(struct vde_plugin_req *, const char *key,
		       const char *piece, const char *v, int width);
	/* The texts may be NULL. */
	int (*put_bool)(struct vde_plugin_req *, const char *key, int v,
			const char *if_true, const char *if_false);
	/* JSON nests by these; what is open at the end is closed. */
	int (*open_object)(struct vde_plugin_req *, const char *key);
	int (*open_list)(struct vde_plugin_req *, const char *key);
	int (*close)(struct vde_plugin_req *);

	/* The switch. */
	uint64_t (*now)(struct vde_plugin_ctx *);
	/* @level as in syslog(3), no newline; a burst of 10 and then one
	 * message a second, the rest is counted. */
	int (*log)(struct vde_plugin_ctx *, int level, const char *text);
	/* The lowest port that exists above @port (-1: of all), or -ENXIO. */
	int (*next_port)(struct vde_plugin_ctx *, int port);
	int (*port_info)(struct vde_plugin_ctx *, unsigned int port,
			 struct vde_plugin_port *);
	/* Calls for each endpoint; returns how many there were. */
	int (*endpoints)(struct vde_plugin_ctx *, unsigned int port,
			 vde_plugin_endpoint_fn *, void *arg);
	/* A user's name, or number where there is none, "NONE" for nobody. */
	int (*user_name)(struct vde_plugin_ctx *, uint32_t uid, char *out,
			 size_t size);
	/* The other way, as port/setuser reads it; -EINVAL: no such user. */
	int (*find_user)(struct vde_plugin_ctx *, const char *name,
			 uint32_t *uid);
};

#ifdef __cplusplus
}
#endif

#endif
