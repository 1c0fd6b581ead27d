// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

void privileges_guard(void)
{
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!setrlimit(RLIMIT_MEMLOCK, &lim) || getrlimit(RLIMIT_MEMLOCK, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &lim);
}

static int become(const char *user)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw) {
		log_err("unable to become user %s: %s", user,
			errno ? strerror(errno) : "there is no such user");
		return errno ? -errno : -ENOENT;
	}
	if (pw->pw_uid == geteuid() && pw->pw_gid == getegid())
		return 0;
	if (initgroups(user, pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid)) {
		int rc = -errno;

		log_err("unable to become user %s: %s", user, strerror(-rc));
		return rc;
	}
	return 0;
}

int privileges_drop(const char *user)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int rc = user ? become(user) : 0;

	if (rc)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_capset, &head, none)) {
		rc = -errno;
		log_err("unable to give up privileges: %s", strerror(-rc));
		return rc;
	}
	/* setresuid() has set it again. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}
