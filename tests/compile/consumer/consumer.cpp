// SPDX-License-Identifier: Apache-2.0 OR MIT
// The same from C++17.
#include <acre/acre.h>

#include <string_view>

int main()
{
    return std::string_view(acre_status_text(ACRE_NO_MEMORY)).empty() ? 1 : 0;
}
