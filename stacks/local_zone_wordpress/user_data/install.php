<?php
// Makes the tables and the administrator, or upgrades the tables to the release; once, however many instances boot.
// The administrator's password comes on standard input.
define('WP_INSTALLING', true);
$settings = parse_ini_file(__DIR__ . '/settings.ini');
$_SERVER['HTTP_HOST'] = parse_url($settings['url'], PHP_URL_HOST);
$password = trim((string) fgets(STDIN));
if ($password === '') {
    fwrite(STDERR, "no password on standard input\n");
    exit(1);
}

// WordPress dies with status 0 when the database does not answer; only the last line here is success.
$done = false;
register_shutdown_function(function () use (&$done) {
    if (!$done) {
        exit(1);
    }
});

// WordPress would send the password by mail.
function wp_new_blog_notification($title, $url, $user, $password)
{
}

require __DIR__ . '/site/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

if ($wpdb->get_var("SELECT GET_LOCK('wordpress-install', 120)") !== '1') {
    fwrite(STDERR, "another instance installs for too long\n");
    exit(1);
}
if (!is_blog_installed()) {
    wp_install($settings['title'], 'admin', $settings['email'], true, '', $password);
    // The installer's own test asks the site, which does not answer yet.
    update_option('permalink_structure', '/%year%/%monthnum%/%day%/%postname%/');
    delete_option('rewrite_rules');
    echo "installed\n";
} else {
    wp_upgrade();
    echo "there already\n";
}
// A database that comes from a snapshot of another stack has that one's password, whose secret may be gone.
if (get_option('admin_secret') !== $settings['admin']) {
    if ($admin = get_user_by('login', 'admin')) {
        wp_set_password($password, $admin->ID);
    }
    update_option('admin_secret', $settings['admin'], false);
}
$wpdb->get_var("SELECT RELEASE_LOCK('wordpress-install')");
$done = true;
