<?php
// Whether this instance can serve. Not whether the database answers: that would have all instances replaced at once.
if (!is_readable(__DIR__ . '/site/wp-config.php') || !is_readable(__DIR__ . '/settings.ini')) {
    http_response_code(503);
    exit;
}
echo 'ok';
