<?php
// Configuration of WordPress. What differs between sites, and what is secret, is in settings.ini.
$settings = parse_ini_file(dirname(__DIR__) . '/settings.ini');

define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', $settings['password']);
define('DB_HOST', $settings['database']);
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

// One secret makes all eight: the same on every instance, so that a session survives the next request.
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", hash_hmac('sha512', "{$name}_KEY", $settings['keys']));
    define("{$name}_SALT", hash_hmac('sha512', "{$name}_SALT", $settings['keys']));
}

// The address is said here and not taken from the request, whose Host anybody may choose.
define('WP_HOME', $settings['url']);
define('WP_SITEURL', $settings['url']);
// The load balancer ends TLS; nobody else reaches this instance.
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}

// Instances come and go: code comes with their release, files go to the shared uploads.
define('DISALLOW_FILE_MODS', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', false);
// wordpress-cron.timer does it: the site's own address leads out by the NAT, whom nobody has let in.
define('DISABLE_WP_CRON', true);

if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
