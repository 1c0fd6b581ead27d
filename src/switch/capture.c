// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capture_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/scribe.h"

#define OFFSET_AGE LOOP_SEC

static const char *const states[] = {
	[CAPTURE_WAITING] = "waiting", [CAPTURE_RUNNING] = "running",
	[CAPTURE_ENDING] = "ending",   [CAPTURE_DONE] = "done",
	[CAPTURE_FAILED] = "failed",
};
static_assert(ARRAY_SIZE(states) == CAPTURE_N_STATES, "a state has no name");

const char *capture_state_name(enum capture_state s)
{
	return states[s];
}

/* ---- time ---- */

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * LOOP_SEC + (uint64_t)ts.tv_nsec;
}

/* Somebody may set the clock. */
static void take_offset(struct captures *all)
{
	all->offset_at = loop_now(all->sw->loop);
	all->offset = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}

uint64_t capture_time(const struct captures *all)
{
	return loop_now(all->sw->loop) + all->offset;
}

/* ---- writing ---- */

void capture_write(struct capture *c)
{
	struct iovec iov[2];
	int n;

	while (!c->full && !c->problem &&
	       (n = capbuf_iov(&c->out.buf, iov)) > 0) {
		ssize_t len = writev(c->fd, iov, n);

		if (len > 0) {
			capbuf_sent(&c->out.buf, (size_t)len);
			c->info.bytes += (uint64_t)len;
		} else if (len < 0 && errno == EAGAIN && c->io.on) {
			c->full = true;
		} else if (len == 0 || errno != EINTR) {
			c->problem = len ? -errno : -EIO;
		}
	}
}

static void close_fd(struct loop *l, struct loop_fd *watch, int *fd)
{
	loop_fd_del(l, watch);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_target(struct capture *c)
{
	struct vswitch *sw = c->all->sw;

	hook_del(sw->br, &c->hook);
	loop_timer_del(sw->loop, &c->timer);
	close_fd(sw->loop, &c->io, &c->fd);
	close_fd(sw->loop, &c->result, &c->status);
	capwriter_fini(&c->out);
	c->full = false;
	c->problem = 0;
}

static void free_capture(struct capture *c)
{
	close_target(c);
	filter_free(c->filter);
	list_del(&c->node);
	free(c);
}

/* Both free nothing: @c is forgotten, if it is to be, at the end of the turn. */
static void ended(struct capture *c)
{
	close_target(c);
	c->info.state = CAPTURE_DONE;
}

static void fail(struct capture *c, int error)
{
	log_warn("capture %u to %s failed: %s", c->info.id, c->info.spec.target,
		 strerror(error));
	close_target(c);
	if (c->forget)
		c->all->stop_error = -error;
	c->info.state = CAPTURE_FAILED;
	c->info.error = error;
}

/* ---- states ---- */

static void look_again(struct loop_timer *t);

static void wait_for_reader(struct capture *c)
{
	c->info.state = CAPTURE_WAITING;
	loop_timer_set(c->all->sw->loop, &c->timer, CAPTURE_RETRY, look_again);
}

static void reader_gone(struct capture *c)
{
	struct captures *all = c->all;

	if (c->info.state == CAPTURE_ENDING) {
		ended(c);
		return;
	}
	log_warn_rl(
		&c->limit, loop_now(all->sw->loop),
		"capture %u: nobody reads %s any more, waiting for the next",
		c->info.id, c->info.spec.target);
	close_target(c);
	wait_for_reader(c);
}

static void linger_is_over(struct loop_timer *t)
{
	struct capture *c = container_of(t, struct capture, timer);

	log_warn("capture %u: nobody reads the end of %s", c->info.id,
		 c->info.spec.target);
	ended(c);
}

static void begin_end(struct capture *c)
{
	struct vswitch *sw = c->all->sw;

	c->info.state = CAPTURE_ENDING;
	hook_del(sw->br, &c->hook);
	if (captarget_has_reader(c->info.target.kind))
		loop_timer_set(sw->loop, &c->timer, CAPTURE_LINGER,
			       linger_is_over);
}

/* What waits, and in its end the statistics; true after the last of them. */
static bool write_end(struct capture *c)
{
	bool done = false;

	capture_write(c);
	while (!done && !c->full && !c->problem &&
	       c->info.state == CAPTURE_ENDING) {
		done = capwriter_finish(&c->out, capture_time(c->all));
		capture_write(c);
		done = done && !capbuf_pending(&c->out.buf);
	}
	return done;
}

/* All has been written, or nothing more can be. Who writes a file still does,
 * and then says how it went. */
static void no_more(struct capture *c)
{
	struct loop *l = c->all->sw->loop;

	if (c->status >= 0) {
		c->full = true;
		close_fd(l, &c->io, &c->fd);
	} else if (!c->problem) {
		ended(c);
	} else if (captarget_has_reader(c->info.target.kind)) {
		reader_gone(c);
	} else {
		fail(c, -c->problem);
	}
}

/* Writes, and draws the conclusions. */
static void go_on(struct capture *c)
{
	bool done;

	if (c->enough && c->info.state == CAPTURE_RUNNING)
		begin_end(c);
	done = write_end(c);
	if (done || c->problem)
		no_more(c);
	else if (c->io.on)
		loop_fd_want(c->all->sw->loop, &c->io, c->full ? EPOLLOUT : 0);
}

static void reader_ready(struct loop_fd *w, uint32_t events)
{
	struct capture *c = container_of(w, struct capture, io);

	if (events & (EPOLLERR | EPOLLHUP))
		c->problem = -EPIPE;
	c->full = false;
	go_on(c);
}

/* Who writes the file has ended. */
static void file_ended(struct capture *c)
{
	int rc = scribe_result(c->status);

	if (!rc && c->info.state != CAPTURE_ENDING)
		rc = -EPIPE; /* nobody has told him to */
	if (rc)
		fail(c, -rc);
	else
		ended(c);
}

static void result_ready(struct loop_fd *w, uint32_t events)
{
	file_ended(container_of(w, struct capture, result));
}

/* Until the file is complete, or for so long. */
static void wait_for_file(struct capture *c, uint64_t ns)
{
	struct loop *l = c->all->sw->loop;
	uint64_t now = loop_clock(l), end = now + ns;

	for (; now < end && c->status >= 0; now = loop_clock(l)) {
		struct pollfd fds[] = { { c->status, POLLIN, 0 },
					{ c->fd, POLLOUT, 0 } };
		int ms = (int)((end - now + LOOP_MS - 1) / LOOP_MS);

		if (poll(fds, 2, ms) < 0)
			continue;
		if (fds[0].revents) {
			file_ended(c);
		} else if (fds[1].revents) {
			c->full = false;
			go_on(c);
		}
	}
}

static bool has_ended(const struct capture *c)
{
	return c->info.state == CAPTURE_DONE || c->info.state == CAPTURE_FAILED;
}

static void flush_all(struct loop_hook *h)
{
	struct captures *all = container_of(h, struct captures, flush);

	if (loop_now(all->sw->loop) - all->offset_at >= OFFSET_AGE)
		take_offset(all);
	list_for_each_safe(it, next, &all->list) {
		struct capture *c = list_entry(it, struct capture, node);

		if (c->forget && has_ended(c))
			free_capture(c);
		else if (c->info.state == CAPTURE_RUNNING &&
			 (c->enough || c->problem ||
			  capbuf_pending(&c->out.buf)))
			go_on(c);
	}
}

/* The header, so that an error is met at once; the rest is another's work. */
static int open_file(struct capture *c)
{
	int rc;

	capture_write(c);
	if (c->problem) {
		rc = c->problem;
		return ftruncate(c->fd, 0) ? -errno : rc;
	}
	rc = scribe_start(c->fd, SCRIBE_BLOCKS, "vde_capture", &c->status);
	if (rc < 0)
		return rc;
	close(c->fd);
	c->fd = rc;
	return loop_fd_add(c->all->sw->loop, &c->result, c->status, EPOLLIN,
			   result_ready);
}

/* 0, also if it has to wait for a reader, or -errno: it was not opened. */
static int open_target(struct capture *c)
{
	struct capture_info *info = &c->info;
	struct vswitch *sw = c->all->sw;
	const char *filter = info->spec.filter[0] ? info->spec.filter : NULL;
	int rc = captarget_open(&info->target, info->spec.target);

	if (rc == -EAGAIN) {
		wait_for_reader(c);
		return 0;
	}
	if (rc < 0)
		return rc;
	c->fd = rc;
	rc = 0;
	if (!capwriter_start(&c->out, CAPTURE_BUFFER, info->spec.snaplen,
			     filter, capture_time(c->all)))
		rc = -ENOMEM;
	if (!rc && info->target.kind == CAPTARGET_FILE)
		rc = open_file(c);
	if (!rc && info->target.kind != CAPTARGET_NULL)
		rc = loop_fd_add(sw->loop, &c->io, c->fd, 0, reader_ready);
	if (rc) {
		close_target(c);
		return rc;
	}
	info->state = CAPTURE_RUNNING;
	hook_add(sw->br, &c->hook);
	return 0;
}

static void look_again(struct loop_timer *t)
{
	struct capture *c = container_of(t, struct capture, timer);
	int rc = open_target(c);

	if (rc)
		fail(c, -rc); /* it is something else now */
}

/* ---- all of them ---- */

static struct captures *captures_new(struct vswitch *sw)
{
	struct captures *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->sw = sw;
	list_init(&all->list);
	for (enum drop_reason r = 0; r < DROP_N_REASONS; r++)
		str_fmt(all->comments[r], CAPTURE_COMMENT_MAX, "dropped: %s",
			drop_reason_name(r));
	take_offset(all);
	loop_hook_add(sw->loop, &all->flush, flush_all);
	return all;
}

/* False: there are as many as there may be. *@old is one that has to go when
 * another comes, or NULL. */
static bool has_place(const struct captures *all, struct capture **old)
{
	unsigned int n = 0;

	*old = NULL;
	list_for_each(it, &all->list) {
		struct capture *c = list_entry(it, struct capture, node);

		n++;
		if (!*old && has_ended(c))
			*old = c;
	}
	if (n >= CAPTURE_MAX)
		return *old != NULL;
	*old = NULL;
	return true;
}

/* Two that write to one file, or one reader, would destroy each other's
 * blocks; each connection of a socket is another one. */
static bool is_taken(const struct captures *all, const struct captarget *t)
{
	if (t->kind != CAPTARGET_FILE && t->kind != CAPTARGET_FIFO)
		return false;
	list_for_each(it, &all->list) {
		const struct capture *c = list_entry(it, struct capture, node);

		if (!has_ended(c) && c->info.target.dev == t->dev &&
		    c->info.target.ino == t->ino)
			return true;
	}
	return false;
}

static struct capture *capture_new(struct captures *all,
				   const struct capspec *cs)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->all = all;
	c->fd = c->status = -1;
	c->info.spec = *cs;
	capture_take_init(c);
	list_add_tail(&all->list, &c->node);
	return c;
}

static int refuse(int rc, struct strbuf *why, const char *reason)
{
	strbuf_add(why, reason);
	return rc;
}

static const char *target_reason(int rc)
{
	if (rc == -EADDRINUSE)
		return "another capture goes there";
	if (rc == -EEXIST)
		return "it is a symbolic link to nothing";
	if (rc == -ENODEV)
		return "it is a device, and not /dev/null";
	if (rc == -ELOOP)
		return "this switch itself listens there";
	return strerror(-rc);
}

static int refuse_target(int rc, struct strbuf *why, const char *target)
{
	strbuf_fmt(why, "%s: %s", target, target_reason(rc));
	return rc;
}

static int start_new(struct captures *all, const struct capspec *cs,
		     struct filter *filter, struct strbuf *why)
{
	struct captarget target;
	struct capture *c, *old;
	int rc;

	if (!has_place(all, &old))
		return refuse(-EMFILE, why, "there are too many captures");
	rc = captarget_find(&target, cs->target);
	if (!rc && is_taken(all, &target))
		rc = -EADDRINUSE;
	if (rc)
		return refuse_target(rc, why, cs->target);
	c = capture_new(all, cs);
	if (!c)
		return refuse(-ENOMEM, why, strerror(ENOMEM));
	c->info.target = target;
	rc = open_target(c);
	if (rc) {
		free_capture(c);
		if (target.made)
			unlink(cs->target);
		return refuse_target(rc, why, cs->target);
	}
	if (old)
		free_capture(old);
	c->filter = filter;
	c->info.id = ++all->last_id;
	return (int)c->info.id;
}

int capture_start(struct vswitch *sw, const struct capspec *cs,
		  struct strbuf *why)
{
	struct filter *filter = NULL;
	int rc;

	if (!sw->captures)
		sw->captures = captures_new(sw);
	if (!sw->captures)
		return refuse(-ENOMEM, why, strerror(ENOMEM));
	if (cs->port >= 0 && (unsigned int)cs->port > sw->br->numports)
		return refuse(-EINVAL, why, "there is no such port");
	if (cs->filter[0]) {
		filter = filter_new(cs->filter, why);
		if (!filter)
			return -EINVAL;
	}
	rc = start_new(sw->captures, cs, filter, why);
	if (rc < 0)
		filter_free(filter);
	return rc;
}

static struct capture *find_capture(const struct captures *all, unsigned int id)
{
	list_for_each(it, &all->list) {
		struct capture *c = list_entry(it, struct capture, node);

		if (c->info.id == id)
			return c;
	}
	return NULL;
}

static void end(struct capture *c)
{
	if (c->info.state == CAPTURE_RUNNING)
		begin_end(c);
	go_on(c);
}

int capture_stop(struct vswitch *sw, unsigned int id)
{
	struct captures *all = sw->captures;
	struct capture *c = all ? find_capture(all, id) : NULL;

	if (!c || c->forget)
		return -ENXIO;
	if (has_ended(c) || c->info.state == CAPTURE_WAITING) {
		free_capture(c);
		return 0;
	}
	c->forget = true;
	all->stop_error = 0;
	end(c);
	return 0;
}

int capture_stopping(struct vswitch *sw, unsigned int id)
{
	struct captures *all = sw->captures;

	if (!all)
		return 0;
	list_for_each(it, &all->list) {
		struct capture *c = list_entry(it, struct capture, node);

		if (!c->forget || c->status < 0 || (id && c->info.id != id))
			continue;
		wait_for_file(c, LOOP_MS);
		if (c->status >= 0)
			return 1;
	}
	return all->stop_error;
}

const struct capture_info *capture_next(const struct vswitch *sw,
					unsigned int id)
{
	if (!sw->captures)
		return NULL;
	list_for_each(it, &sw->captures->list) {
		const struct capture *c = list_entry(it, struct capture, node);

		if (c->info.id > id && !(c->forget && has_ended(c)))
			return &c->info;
	}
	return NULL;
}

void captures_free(struct vswitch *sw)
{
	struct captures *all = sw->captures;
	uint64_t until = loop_clock(sw->loop) + CAPTURE_PATIENCE;

	if (!all)
		return;
	list_for_each_safe(it, next, &all->list) {
		struct capture *c = list_entry(it, struct capture, node);

		if (c->info.state == CAPTURE_RUNNING ||
		    c->info.state == CAPTURE_ENDING)
			end(c);
	}
	list_for_each_safe(it, next, &all->list) {
		struct capture *c = list_entry(it, struct capture, node);
		uint64_t now = loop_clock(sw->loop);

		if (now < until)
			wait_for_file(c, until - now);
		free_capture(c);
	}
	loop_hook_del(&all->flush);
	free(all);
	sw->captures = NULL;
}
