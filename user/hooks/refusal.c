// SPDX-License-Identifier: GPL-2.0-or-later
#include "refusal.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <synward/refusal.h> /* before the skeleton, which has it inside */

#include "refusal.skel.h"

static void refusal_cleanup(struct refusal_bpf **skeleton)
{
	refusal_bpf__destroy(*skeleton);
}

void sw_refusal_words(int program_fd, uint32_t ifindex, char *text, size_t size)
{
	__attribute__((cleanup(refusal_cleanup))) struct refusal_bpf *skeleton =
		refusal_bpf__open();
	LIBBPF_OPTS(bpf_link_create_opts, natively, .flags = XDP_FLAGS_DRV_MODE);
	SW_AUTO_FD int link = -1;
	struct stat namespace;

	text[0] = '\0';
	if (!skeleton || stat("/proc/self/ns/pid", &namespace))
		return;
	skeleton->rodata->asker = (struct refusal_asker){
		.device = namespace.st_dev,
		.inode = namespace.st_ino,
		.process = (__u32)getpid(),
	};
	if (refusal_bpf__load(skeleton) || refusal_bpf__attach(skeleton))
		return;
	link = bpf_link_create(program_fd, (int)ifindex, BPF_XDP, &natively);
	if (link < 0)
		sw_format(text, size, "%.*s", SW_REFUSAL_WORDS - 1, skeleton->bss->words);
}
