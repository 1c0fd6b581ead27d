// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_tunctl - make and remove persistent tap and tun interfaces
 *
 * A persistent interface stays when the process that made it has ended, and
 * who owns it may use it without privileges.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "common/cli.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/unixsock.h"

#define NOBODY (-1)
#define BUSY_MS 2000
#define BUSY_PAUSE_MS 20

struct options {
	bool brief, tun;
	const char *name, *del, *device;
	int64_t uid, gid; /* or NOBODY */
};

static bool set_owner(void *opts, const char *arg)
{
	struct options *o = opts;
	const struct passwd *pw = getpwnam(arg);

	if (!pw)
		return parse_num(arg, 0, UINT32_MAX - 1, &o->uid);
	o->uid = pw->pw_uid;
	return true;
}

static bool set_group(void *opts, const char *arg)
{
	struct options *o = opts;
	gid_t gid;

	if (!unixsock_group(arg, &gid))
		return false;
	o->gid = gid;
	return true;
}

/* clang-format off */
static const struct cli_option options[] = {
	{ 't', "name", CLI_STR, "NAME", "name of the interface (tap0, tap1 ...)",
	  offsetof(struct options, name), 0, 0, NULL },
	{ 'u', "owner", CLI_CALL, "USER", "who may use it (you)", 0, 0, 0,
	  set_owner },
	{ 'g', "group", CLI_CALL, "GROUP", "which group may use it", 0, 0, 0,
	  set_group },
	{ 'n', "tun", CLI_FLAG, NULL,
	  "a tun interface; also if NAME begins with tun",
	  offsetof(struct options, tun), 0, 0, NULL },
	{ 'b', "brief", CLI_FLAG, NULL, "print only the name of the interface",
	  offsetof(struct options, brief), 0, 0, NULL },
	{ 'd', "delete", CLI_STR, "NAME", "remove this interface",
	  offsetof(struct options, del), 0, 0, NULL },
	{ 'f', "device", CLI_STR, "FILE", "clone device (/dev/net/tun)",
	  offsetof(struct options, device), 0, 0, NULL },
};
/* clang-format on */

static const struct cli cli = {
	.synopsis = "[-b] [-u USER] [-g GROUP] [-n] [-t NAME] [-f FILE]\n"
		    "       vde_tunctl -d NAME [-f FILE]",
	.about = "Make or remove a persistent tap or tun interface.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.mode = CLI_GNU,
};

static void parse(struct options *o, int argc, char **argv)
{
	const char *name;
	int i;

	*o = (struct options){ .device = "/dev/net/tun",
			       .uid = NOBODY,
			       .gid = NOBODY };
	i = cli_parse(&cli, argc, argv, o);
	if (i < argc)
		cli_usage("too many arguments: '%s'", argv[i]);
	if (o->del && (o->name || o->uid != NOBODY || o->gid != NOBODY))
		cli_usage("-d goes with -f, -n and -b only");
	name = o->del ? o->del : o->name;
	if (name && (!*name || strlen(name) >= IFNAMSIZ))
		cli_usage("invalid interface name '%s'", name);
	if (name && !strncmp(name, "tun", 3))
		o->tun = true;
	if (o->uid == NOBODY && o->gid == NOBODY)
		o->uid = geteuid();
}

/* Attaches to the interface, or makes it. The kernel fills in a number for
 * %d in the name. 0 or -errno. */
static int attach(int fd, struct ifreq *ifr, const char *name, bool tun)
{
	*ifr = (struct ifreq){ 0 };
	ifr->ifr_flags = (short)((tun ? IFF_TUN : IFF_TAP) | IFF_NO_PI);
	if (str_copy(ifr->ifr_name, sizeof(ifr->ifr_name), name) < 0)
		return -ENAMETOOLONG;
	return ioctl(fd, TUNSETIFF, ifr) ? -errno : 0;
}

static void create(const struct options *o, int fd)
{
	const char *name = o->name ? o->name : o->tun ? "tun%d" : "tap%d";
	struct ifreq ifr;
	int rc = attach(fd, &ifr, name, o->tun);

	if (rc)
		die("unable to make interface %s: %s", name, strerror(-rc));
	if (o->uid != NOBODY && ioctl(fd, TUNSETOWNER, (long)o->uid))
		die("unable to set the owner of %s: %s", ifr.ifr_name,
		    strerror(errno));
	if (o->gid != NOBODY && ioctl(fd, TUNSETGROUP, (long)o->gid))
		die("unable to set the group of %s: %s", ifr.ifr_name,
		    strerror(errno));
	if (ioctl(fd, TUNSETPERSIST, 1L))
		die("unable to make %s persistent: %s", ifr.ifr_name,
		    strerror(errno));
	if (o->brief) {
		printf("%s\n", ifr.ifr_name);
		return;
	}
	printf("Set '%s' persistent and owned by", ifr.ifr_name);
	if (o->uid != NOBODY)
		printf(" uid %u", (unsigned int)o->uid);
	if (o->gid != NOBODY)
		printf(" gid %u", (unsigned int)o->gid);
	printf("\n");
}

/* Scripts remove an interface right after they told the switch on it to end,
 * which takes a moment. */
static int attach_when_free(int fd, struct ifreq *ifr, const char *name,
			    bool tun)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE_MS * 1000000L };
	int rc = attach(fd, ifr, name, tun);

	for (int ms = 0; rc == -EBUSY && ms < BUSY_MS; ms += BUSY_PAUSE_MS) {
		nanosleep(&pause, NULL);
		rc = attach(fd, ifr, name, tun);
	}
	return rc;
}

/* Attaching would make an interface that does not exist, and a name does not
 * always tell which of the two kinds it is. */
static void delete (const struct options *o, int fd)
{
	struct ifreq ifr;
	int rc = if_nametoindex(o->del) ? 0 : -errno;

	if (!rc)
		rc = attach_when_free(fd, &ifr, o->del, o->tun);
	if (rc == -EINVAL)
		rc = attach_when_free(fd, &ifr, o->del, !o->tun);
	if (!rc && ioctl(fd, TUNSETPERSIST, 0L))
		rc = -errno;
	if (rc)
		die("unable to remove interface %s: %s", o->del, strerror(-rc));
	printf("Set '%s' nonpersistent\n", ifr.ifr_name);
}

int main(int argc, char **argv)
{
	struct options o;
	int fd;

	log_open(argv[0], LOG_NOTICE);
	if (std_fds_open())
		return EXIT_FAILURE;
	parse(&o, argc, argv);
	fd = open(o.device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("unable to open %s: %s", o.device, strerror(errno));
	if (o.del)
		delete (&o, fd);
	else
		create(&o, fd);
	close(fd);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
