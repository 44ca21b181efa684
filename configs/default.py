"""Every field that jdmri reads, with its unit or meaning. Experiment files override a few of them.

A section that has a ``name`` holds the arguments of what it names, and nothing else; only ``data`` lists
the fields of all readers, because the reader is often changed from the command line; there, a field that the
chosen reader does not take is refused.
"""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """Return the defaults: a cascade on the embedded phantom."""
    config = ConfigDict()
    # Modules to import first, for what they register (docs/extending.md): a FILE.py, here or beside the config, or a module's name.
    config.plugins = ()
    config.seed = 0  # initial parameters, batches, masks, noise, augmentation, dropout

    config.data = dict(
        # Reader: phantom, npz, store, ismrmrd, cmrxrecon, fastmri, m4raw, skmtea, bart, npz_kspace, dicom, nifti.
        name="phantom",
        cyclic=True,  # gated cine: the last frame is followed by the first
        reference="sense",  # of measured coils: sense (maps from all data) or rss (root sum of squares)
        path="",  # of all readers but phantom: a file or folder
        # npz: [series, frame, x, y], key `dataset` or the only array
        phase_encoding_axis=2,  # 2 or 3: which axis of the file is ky
        phase="none",  # of magnitude data: none, polynomial, or an .npz of complex images
        # phantom
        num_series=70,  # one subject each
        num_frames=20,
        matrix=(96, 96),  # (y, x)
        num_coils=1,
        seed=0,
        cache_dir="",  # default: the user's cache folder
    )
    # By subject: holdout (training : validation : test) or kfold (num_folds, fold, seed, stratify, validation).
    config.split = dict(name="holdout", ratios=(4, 1, 2), seed=0, stratify="")
    config.mask = dict(
        name="variable_density", acceleration=5.0, num_center_lines=5, per_frame=True
    )
    # Maps that the reconstruction is given: given (those of the data), or estimated from each undersampled acquisition
    # (in training once for each series, from its evaluation's mask): espirit (kernel, limit, crop) or walsh (size, limit).
    config.coil_maps = dict(name="given")
    # Complex white noise added to simulated k-space: σ as a fraction of bright tissue (99th percentile of the
    # magnitude). 1/30 is an SNR of 30.
    config.noise = dict(sigma=0.02)
    config.augment = dict(
        flips=True,
        rotations=False,  # quarter turns; square images only
        frame_roll=True,
        global_phase=True,
    )

    config.model = dict(
        name="cascade",
        denoiser=dict(name="spacetime_cnn", width=32, depth=3, time_width=3),
        num_cascades=3,
        shared=False,  # one set of denoiser weights for all cascades
        memory="plain",  # remat: recompute in the backward pass; scan_remat: as one loop, too: less memory, more time
        start="temporal_average",  # zero_filled, temporal_average or view_sharing
        consistency="soft",  # soft or cg (λ learned), or hard
        initial_weight=10.0,  # λ at the start
    )
    config.loss = dict(name="l1", domain="complex")  # complex or magnitude
    config.metrics = (
        "psnr",
        "psnr_peak1_series",
        "ssim",
        "ssim3d_gauss",
        "ssim_box3",
        "ssim_xt",
        "nmse",
        "nrmse",
        "snr_db",
        "nmse_complex",
    )
    config.methods = (
        "zero_filled",
        "temporal_average",
        "view_sharing",
    )  # rows beside the model
    config.tuned = (
        ""  # table of their parameters that --mode=tune wrote; default: those of their factories
    )

    config.optimizer = dict(
        name="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
        clip_norm=1.0,  # of the whole gradient; 0: no clipping
        schedule=dict(name="warmup_cosine", warmup=0.05),  # fraction of all steps
    )
    config.train = dict(
        num_steps=0,  # 0: as many as num_epochs give
        num_epochs=30,
        batch_size=1,  # series
        precision="float32",  # of the denoiser: float32, tf32 (GPUs) or bfloat16
        ema_decay=0.995,  # of the averaged weights that are evaluated; 0: the last weights
        log_every=20,  # steps
        patience=0,  # stop after so many validations without a better PSNR; 0: never
        num_series=0,  # the most diverse ones of the training split; 0: all
        streaming="auto",  # series from disk: always, never, or when they do not fit into memory
        num_workers=2,  # processes that read ahead when streaming; 0: a thread
        init_from="",  # workdir whose best weights to start from
    )
    config.eval = dict(
        every_epochs=1,  # validation during training
        num_series=0,  # validation series drawn anew each time (the best checkpoint then depends on luck); 0: all
        seed=0,  # with a series' name it decides that series' mask and noise
        name="",  # folder under evaluation/; default: the split, or the data's name
    )
    config.checkpoint = dict(
        every_steps=0,  # besides those at each validation; 0: none
        keep_latest=2,  # and the best
    )
    return config
