/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tapdev - what everybody does who opens a tap (Linux, tuntap.rst)
 */
#ifndef BASE_TAPDEV_H
#define BASE_TAPDEV_H

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

/* Makes @fd, which has /dev/net/tun open, the interface that @ifr names and
 * describes; its name is then the real one. An interface that was made for
 * many queues is not opened for one. 0 or -errno. */
static inline int tapdev_attach(int fd, struct ifreq *ifr)
{
	if (!ioctl(fd, TUNSETIFF, ifr))
		return 0;
	if (errno != EINVAL)
		return -errno;
	ifr->ifr_flags |= IFF_MULTI_QUEUE;
	return ioctl(fd, TUNSETIFF, ifr) ? -EINVAL : 0;
}

#endif
