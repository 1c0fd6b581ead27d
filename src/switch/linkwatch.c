// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/linkwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEWS_AT_ONCE 64 /* then others are served */

static void news(struct loop_fd *io, uint32_t events)
{
	struct linkwatch *lw = container_of(io, struct linkwatch, io);
	char byte; /* the rest of each message is cut off */

	for (int i = 0; i < NEWS_AT_ONCE; i++)
		if (recv(io->fd, &byte, sizeof(byte), 0) < 0 &&
		    errno != ENOBUFS)
			break;
	lw->changed(lw);
}

int linkwatch_open(struct linkwatch *lw, struct loop *loop,
		   void (*changed)(struct linkwatch *))
{
	const struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
					  .nl_groups = RTMGRP_LINK };
	int fd, rc;

	if (lw->io.on)
		return 0;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	lw->changed = changed;
	rc = bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? -errno
								    : 0;
	if (!rc)
		rc = loop_fd_add(loop, &lw->io, fd, EPOLLIN, news);
	if (rc)
		close(fd);
	return rc;
}

void linkwatch_close(struct linkwatch *lw, struct loop *loop)
{
	int fd = lw->io.fd;

	if (!lw->io.on)
		return;
	loop_fd_del(loop, &lw->io);
	close(fd);
}

bool linkwatch_has_link(const struct linkwatch *lw, int ifindex)
{
	struct ifreq ifr = { .ifr_ifindex = ifindex };

	if (!lw->io.on || ioctl(lw->io.fd, SIOCGIFNAME, &ifr) ||
	    ioctl(lw->io.fd, SIOCGIFFLAGS, &ifr))
		return true;
	return (ifr.ifr_flags & IFF_UP) && (ifr.ifr_flags & IFF_RUNNING);
}
