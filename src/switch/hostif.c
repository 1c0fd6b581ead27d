// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/hostif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "switch/ctlsock.h"

static void want(struct hostif *h, uint32_t events)
{
	loop_fd_want(h->sw->loop, &h->io, events);
}

static void ready(struct loop_fd *w, uint32_t events)
{
	struct hostif *h = container_of(w, struct hostif, io);

	if (events & EPOLLOUT) {
		endpoint_writable(&h->ep);
		if (!h->ep.queue.count)
			want(h, w->events & ~EPOLLOUT);
	}
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		h->receive(h);
}

void hostif_wait_room(struct hostif *h)
{
	want(h, h->io.events | EPOLLOUT);
}

void hostif_pause(struct endpoint *ep, bool on)
{
	struct hostif *h = hostif_of(ep);

	want(h, on ? h->io.events & ~EPOLLIN : h->io.events | EPOLLIN);
}

void hostif_close(struct endpoint *ep)
{
	struct hostif *h = hostif_of(ep);
	int fd = h->io.fd;

	loop_fd_del(h->sw->loop, &h->io);
	close(fd);
	list_del(&h->node);
	if (h->sw->ctl)
		ctlsock_retry(h->sw->ctl);
	free(h);
}

struct hostif *hostif_find(const struct vswitch *sw, const struct transport *tr,
			   const char *name)
{
	list_for_each(it, &sw->hostifs) {
		struct hostif *h = list_entry(it, struct hostif, node);

		if ((!tr || h->ep.tr == tr) && !strcmp(h->ep.descr, name))
			return h;
	}
	return NULL;
}

static bool has_link(const struct hostif *h)
{
	return !h->ifindex || linkwatch_has_link(&h->sw->links, h->ifindex);
}

static void links_changed(struct linkwatch *lw)
{
	struct vswitch *sw = container_of(lw, struct vswitch, links);

	list_for_each(it, &sw->hostifs) {
		struct hostif *h = list_entry(it, struct hostif, node);

		bridge_set_link(&h->ep, has_link(h));
	}
}

int hostif_attach(struct vswitch *sw, struct hostif *h,
		  const struct transport *tr, const char *name, int fd)
{
	const struct port_user nobody = { .uid = PORT_NOBODY };
	int port = bridge_port_for(sw->br, -1, &nobody), rc;

	if (port < 0)
		return port;
	rc = loop_fd_add(sw->loop, &h->io, fd, EPOLLIN, ready);
	if (rc)
		return rc;
	h->sw = sw;
	endpoint_init(&h->ep, tr, (uint32_t)fd, PORT_NOBODY, name);
	h->ep.takes = h->takes;
	/* Where that is not possible all have a link. */
	(void)linkwatch_open(&sw->links, sw->loop, links_changed);
	h->ep.no_link = !has_link(h);
	rc = bridge_attach(sw->br, (unsigned int)port, &h->ep);
	if (rc) {
		loop_fd_del(sw->loop, &h->io);
		return rc;
	}
	list_add_tail(&sw->hostifs, &h->node);
	return port;
}

int hostif_del(struct vswitch *sw, const struct transport *tr, const char *name)
{
	struct hostif *h = hostif_find(sw, tr, name);

	if (!h)
		return -ENODEV;
	bridge_detach(&h->ep);
	return 0;
}

const char *hostif_strerror(int rc)
{
	return rc == -ENOSPC ? "no port is free" : strerror(-rc);
}
