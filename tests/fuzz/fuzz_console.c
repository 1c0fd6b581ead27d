// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client sends to a console, in pieces: the first byte is their
 * length. Time passes between them, so that the 100 ms rule takes part.
 */
#include "../fuzz/console_cmds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > 100000)
		return 0;
	fuzz_open();
	fuzz_session((const char *)data + 1, size - 1,
		     data[0] ? data[0] : size);
	fuzz_close();
	return 0;
}
