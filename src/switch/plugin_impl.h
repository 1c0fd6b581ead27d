/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugin_impl - what the parts of the plugin host share, and nobody else sees
 *
 *   plugin.c        life and death of plugins and of what they registered
 *   plugin_load.c   from a name to a checked shared object
 *   plugin_host.c   the functions a plugin can call: registrations
 *   plugin_info.c   those that tell it about the switch
 *   plugin_reply.c  those for the answer to a command
 *
 * A plugin goes from STARTING (inside its init()) to RUNNING to STOPPING (from
 * the moment it is to be unloaded), and is freed there when @busy, the number
 * of calls into it that have not returned, is 0. In STOPPING nothing of it is
 * called but fini(), and nothing can be registered.
 */
#ifndef SWITCH_PLUGIN_IMPL_H
#define SWITCH_PLUGIN_IMPL_H

#include <pthread.h>

#include "switch/event.h"
#include "switch/hook.h"
#include "switch/plugin.h"
#include "switch/vde_plugin.h"

#define PLUGIN_NAME_MAX 31
#define PLUGIN_REASON 256

struct plugin_user {
	uint32_t uid;
	uint64_t until; /* 0: unused */
	char name[64];
};

#define PLUGIN_USERS 16

struct plugins {
	struct vswitch *sw;
	struct list all; /* in the order of loading */
	struct loop_hook turn;
	bool sweep; /* something is to be done at the end of the turn */
	struct loop_timer wake; /* so that it has one soon */
	pthread_t thread;
	struct plugin_user users[PLUGIN_USERS];
	size_t next_user; /* to be replaced */
};

/* A command that is being answered; @rq NULL: none is. What is open, the
 * plugin's own numbers too, is in rq->more[]: several answers may be given in
 * turns. */
struct vde_plugin_req {
	struct plugin *plugin;
	struct mgmt_req *rq;
};

enum plugin_state {
	PLUGIN_STARTING,
	PLUGIN_RUNNING,
	PLUGIN_STOPPING
};

struct plugin {
	struct list node;
	struct plugins *plugins;
	struct vde_plugin_ctx ctx;
	const struct vde_plugin *desc; /* inside of the shared object */
	void *handle;
	enum plugin_state state;
	bool started; /* its init() has succeeded */
	unsigned int busy;
	struct list regs;
	unsigned int n_regs; /* those that are not dead */
	int last_id;
	struct vde_plugin_req req;
	struct log_limit limit;
	char refused[PLUGIN_REASON]; /* the last registration that was */
	char file[];
};

enum plugin_reg_kind {
	PLUGIN_REG_FRAMES,
	PLUGIN_REG_COMMANDS,
	PLUGIN_REG_CATEGORY,
	PLUGIN_REG_EVENTS,
	PLUGIN_REG_TIMER
};

struct plugin_handler {
	vde_plugin_command_fn *fn;
	void *arg;
};

/* Hooks and listeners may not be added or taken out while one of them is
 * called: that waits for the end of the turn. */
struct plugin_reg {
	struct list node;
	struct plugin *plugin;
	enum plugin_reg_kind kind;
	int id;
	bool dead; /* removed: not called, freed at the end of the turn */
	bool linked; /* the bridge knows of it */
	void *arg;
	union {
		struct {
			struct frame_hook hook;
			vde_plugin_frame_fn *fn;
		} frames;
		struct {
			struct mgmt_table table;
			struct mgmt_cmd *rows;
			struct plugin_handler *handlers; /* of each row */
		} commands;
		struct {
			struct event_category category;
			int bit;
		} category;
		struct {
			struct bridge_listener listener;
			unsigned int
				types; /* 1 << enum vde_plugin_event_type */
			vde_plugin_event_fn *fn;
		} events;
		struct {
			struct loop_timer timer;
			uint64_t due, period;
			vde_plugin_timer_fn *fn;
		} timer;
	};
	char text[]; /* copies of its strings */
};

/* ---- plugin.c ---- */

/* Of a plugin that may register: a zeroed one with a number and room for
 * @text bytes. NULL and *@rc -errno otherwise. */
struct plugin_reg *plugin_reg_new(struct vde_plugin_ctx *, enum plugin_reg_kind,
				  size_t text, int *rc);
/* It works from now on. Returns its number. */
int plugin_reg_done(struct plugin_reg *);
/* It never worked. Returns @rc. */
int plugin_reg_cancel(struct plugin_reg *, int rc);
/* The living one of that number, or NULL. */
struct plugin_reg *plugin_reg_find(struct plugin *, int id);
/* Undoes it. */
void plugin_reg_remove(struct plugin_reg *);

/* The plugin of a context that calls from the right thread; NULL and *@rc
 * -errno otherwise. */
struct plugin *plugin_of(struct vde_plugin_ctx *, int *rc);

/* Nothing of a plugin is called between two turns: what had to wait for that
 * is done after this one, or the next. */
void plugins_sweep(struct plugins *);
/* Unloads @p when it is not busy. */
void plugin_stop(struct plugin *);

/* Around each call into a plugin. False: it is not to be called. */
static inline bool plugin_enter(struct plugin_reg *r)
{
	if (r->dead || r->plugin->state == PLUGIN_STOPPING)
		return false;
	r->plugin->busy++;
	return true;
}

static inline void plugin_leave(const struct plugin_reg *r)
{
	r->plugin->busy--;
}

/* ---- plugin_load.c ---- */

struct plugin_file {
	void *handle;
	const struct vde_plugin *desc;
	char path[PATH_MAX];
};

/* Finds and opens @lib; 0 or -errno as plugin_add(), with the reason. The
 * same file opened twice has the same @desc. */
int plugin_open(struct plugin_file *, const char *lib, struct strbuf *why);

/* ---- plugin_host.c ---- */

extern const struct vde_plugin_host plugin_host;

/* ---- plugin_info.c ---- */

uint64_t plugin_now(struct vde_plugin_ctx *);
int plugin_log(struct vde_plugin_ctx *, int level, const char *text);
int plugin_next_port(struct vde_plugin_ctx *, int port);
int plugin_port_info(struct vde_plugin_ctx *, unsigned int id,
		     struct vde_plugin_port *out);
int plugin_endpoints(struct vde_plugin_ctx *, unsigned int id,
		     vde_plugin_endpoint_fn *fn, void *arg);
int plugin_user_name(struct vde_plugin_ctx *, uint32_t uid, char *out,
		     size_t size);
int plugin_find_user(struct vde_plugin_ctx *, const char *name, uint32_t *uid);

/* ---- plugin_reply.c ---- */

int plugin_run_command(struct mgmt_req *, void *ctx);

int plugin_arg_count(struct vde_plugin_req *);
int plugin_arg_num(struct vde_plugin_req *, int i, int64_t *out);
int plugin_arg_str(struct vde_plugin_req *, int i, const char **out);
int plugin_pause(struct vde_plugin_req *);
uint64_t *plugin_more(struct vde_plugin_req *);
int plugin_put_text(struct vde_plugin_req *, const char *piece);
int plugin_put_line(struct vde_plugin_req *);
int plugin_put_num(struct vde_plugin_req *, const char *key, const char *piece,
		   int64_t v, int width);
int plugin_put_str(struct vde_plugin_req *, const char *key, const char *piece,
		   const char *v, int width);
int plugin_put_bool(struct vde_plugin_req *, const char *key, int v,
		    const char *if_true, const char *if_false);
int plugin_open_object(struct vde_plugin_req *, const char *key);
int plugin_open_list(struct vde_plugin_req *, const char *key);
int plugin_close(struct vde_plugin_req *);

#endif
