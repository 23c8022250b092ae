// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <stddef.h>

const struct sw_command *const sw_commands[] = {
	&sw_cmd_attach, &sw_cmd_detach,	      &sw_cmd_upgrade, &sw_cmd_status,
	&sw_cmd_stats,	&sw_cmd_top,	      &sw_cmd_list,    &sw_cmd_events,
	&sw_cmd_policy, &sw_cmd_check_config, &sw_cmd_disarm,  &sw_cmd_arm,
	&sw_cmd_allow,	&sw_cmd_block,	      &sw_cmd_replay,  &sw_cmd_explain,
	&sw_cmd_doctor, &sw_cmd_genkey,	      &sw_cmd_version, &sw_cmd_help,
	NULL,
};
