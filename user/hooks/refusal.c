// SPDX-License-Identifier: GPL-2.0-or-later
#include "refusal.h"

#include "../base/error.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include "refusal.skel.h"

static bool listen_to(struct refusal_bpf *skeleton)
{
	struct stat namespace;

	if (stat("/proc/self/ns/pid", &namespace))
		return false;
	skeleton->rodata->asker = (struct refusal_asker){
		.device = namespace.st_dev,
		.inode = namespace.st_ino,
		.process = (__u32)getpid(),
	};
	return !refusal_bpf__load(skeleton) && !refusal_bpf__attach(skeleton);
}

void sw_refusal_begin(struct sw_refusal *refusal)
{
	refusal->listener = refusal_bpf__open();
	if (refusal->listener && !listen_to(refusal->listener))
		sw_refusal_end(refusal);
}

void sw_refusal_end(struct sw_refusal *refusal)
{
	refusal_bpf__destroy(refusal->listener);
	refusal->listener = NULL;
}

void sw_refusal_words(const struct sw_refusal *refusal, char words[SW_REFUSAL_WORDS])
{
	sw_format(words, SW_REFUSAL_WORDS, "%s",
		  refusal->listener ? refusal->listener->bss->words : "");
}
