<?php
// What WordPress asks of the site's address is asked of this instance: the way by the NAT is closed to it.
add_filter('pre_http_request', function ($answer, $arguments, $url) {
    $home = untrailingslashit(WP_HOME);
    if ($url !== $home && !str_starts_with($url, "$home/")) {
        return $answer;
    }
    $parts = parse_url($home);
    $headers = is_array($arguments['headers'] ?? null) ? $arguments['headers'] : [];
    $headers['Host'] = $parts['host'];
    $headers['X-Forwarded-Proto'] = $parts['scheme'];
    $path = substr($url, strlen($home)) ?: '/';
    return wp_remote_request("http://127.0.0.1:@WEB_PORT@$path", ['headers' => $headers, 'reject_unsafe_urls' => false] + $arguments);
}, 10, 3);
