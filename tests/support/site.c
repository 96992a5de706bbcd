/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/site.h"

struct test_site test_site;
