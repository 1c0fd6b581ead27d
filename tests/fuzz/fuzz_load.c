// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file of commands, loaded as an rc file and by a session as text and as
 * JSON. The file may load itself.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "../fuzz/console_cmds.h"
#include "common/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char commands[] = "load\n-j load\n";
	char path[32];
	int fd = memfd_create("rc", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	str_fmt(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_mgmt.ctx = path;
	log_open("fuzz", LOG_ERR);
	fuzz_open();
	console_load(console, path, NULL);
	fuzz_session(commands, sizeof(commands) - 1, sizeof(commands));
	fuzz_close();
	fuzz_mgmt.ctx = NULL;
	close(fd);
	return 0;
}
